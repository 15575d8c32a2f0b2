import 'reflect-metadata';
import type { Type } from '@nestjs/common';
import { sleep, TocsinError } from '@tocsin/core';
import { Outbox } from '@tocsin/database';
import type { MessagingContract, OutboxRelay, RequestSpec } from '@tocsin/messaging';
import { instance, logger, startTelemetry } from '@tocsin/telemetry';
import { z } from 'zod';
import {
  type Application,
  type CreateApplication,
  messageApplication,
  startApplication,
  startTaking,
} from './application.ts';
import { CONFIG_EXIT_CODE, ConfigError, readConfig } from './config.ts';
import { connectDatabase, connectMessaging, openCache, startRelay, type DatabaseSettings } from './connect.ts';
import { Drain } from './drain.ts';
import { HttpServer } from './http-server.ts';
import { Health } from './health.ts';
import { retryUntilReady } from './retry-until-ready.ts';
import { rootModule, type Platform } from './platform.module.ts';
import type { PlatformConfig } from './platform.config.ts';
import { releaseStartMemory } from './release-start-memory.ts';
import { exitOnDefect, stopOnSignal } from './shutdown.ts';

/** What makes a sub-service. */
export interface ServiceSettings {
  name: string;
  /** The service's own module: its composition root. */
  module: Type;
  /** Reads the environment: its input are the variables by name, its output is the typed configuration. */
  config?: z.ZodType;
  contract: MessagingContract & { requests?: { systemPing?: RequestSpec } };
  database?: DatabaseSettings;
  cache?: boolean;
  /** Makes Nest's application; by default one that handles messages alone. */
  application?: CreateApplication;
}

interface Running {
  settings: ServiceSettings;
  config: PlatformConfig;
  health: Health;
  drain: Drain;
  http: HttpServer;
  stopped: AbortController;
  platform?: Platform;
  application?: Application;
  relay?: OutboxRelay;
}

/** How much of TOCSIN_SHUTDOWN_MS handlers and requests may take to finish before the rest is handed back. */
const DRAIN_SHARE = 0.6;
const FINISH_SHARE = 0.2;

const log = logger('service');

/**
 * Runs one sub-service until it is told to stop. Health and metrics answer at once; the service is ready when the
 * servers it needs are there, and waits for them as long as it takes. Bad configuration exits with code 78, one line per
 * bad key; a defect exits with code 1.
 */
export async function runService(settings: ServiceSettings): Promise<void> {
  await startTelemetry(settings.name);
  exitOnDefect();
  const config = configOrExit(settings);
  const health = new Health();
  const service: Running = {
    settings,
    config,
    health,
    drain: new Drain(),
    http: new HttpServer(health),
    stopped: new AbortController(),
  };
  stopOnSignal(config.shutdownMs, (signal) => stop(service, signal));
  try {
    await start(service);
  } catch (error) {
    if (service.stopped.signal.aborted) return;
    log.fatal({ err: error }, 'the service could not start');
    process.exit(1);
  }
}

function configOrExit(settings: ServiceSettings): PlatformConfig {
  try {
    const needs = { database: settings.database !== undefined, cache: settings.cache === true };
    return readConfig(settings.config ?? z.object({}), needs, process.env) as PlatformConfig;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { key, message } of error.problems) log.fatal({ variable: key }, `${key} ${message}`);
    process.exit(CONFIG_EXIT_CODE);
  }
}

async function start(service: Running): Promise<void> {
  const { config, http, health, settings, stopped } = service;
  const port = await http.listen(config.httpHost, config.httpPort);
  log.info({ port, pid: process.pid }, `listening at http://${config.httpHost}:${port}`);
  const platform = await connect(service);
  service.platform = platform;
  const ping = settings.contract.requests?.systemPing;
  const application = await retryUntilReady('what the service starts with', stopped.signal, () => {
    const root = rootModule(platform, settings.module, ping);
    return startApplication(settings.application ?? messageApplication, root, http);
  });
  service.application = application;
  if (platform.database && platform.outbox) {
    service.relay = startRelay(platform.messaging, platform.database, platform.outbox);
  }
  releaseStartMemory();
  await startTaking(application, stopped.signal);
  stopped.signal.throwIfAborted();
  health.become('running');
  log.info({ port, version: instance.version }, 'ready');
}

async function connect({ config, settings, health, drain, stopped }: Running): Promise<Platform> {
  const [messaging, database] = await Promise.all([
    connectMessaging(config, settings.contract, health, stopped.signal),
    settings.database && connectDatabase(config, settings.database, health, stopped.signal),
  ]);
  const cache = settings.cache === true ? openCache(config, health) : undefined;
  return {
    config,
    health,
    drain,
    messaging,
    ...(database ? { database } : {}),
    ...(database && settings.database?.migrations ? { outbox: new Outbox() } : {}),
    ...(cache ? { cache } : {}),
  };
}

/** Not ready → stop taking → finish or hand back → release leases → close, in that order. */
async function stop(service: Running, signal: string): Promise<void> {
  const { config, drain, http, health, stopped, platform, application, relay } = service;
  const { shutdownMs } = config;
  const finishBy = performance.now() + shutdownMs * (DRAIN_SHARE + FINISH_SHARE);
  log.info({ signal }, 'stopping');
  health.become('draining');
  drain.begin();
  stopped.abort(new TocsinError('unavailable', 'the service is stopping', { retry: false }));
  if (application) await sleep(config.drainGraceMs);
  http.stopTaking();
  await Promise.all([drain.run('stop-taking'), application?.transport.drain(shutdownMs * DRAIN_SHARE)]);
  // Handlers that ended early leave their share to requests, some of which wait for an owner for seconds.
  const finishMs = Math.max(shutdownMs * FINISH_SHARE, finishBy - performance.now());
  await Promise.all([drain.run('finish'), http.finish(finishMs)]);
  await relay?.stop();
  await drain.run('release');
  if (platform?.messaging.status().connected) await platform.messaging.leases.releaseAll();
  await application?.app.close();
  http.close();
  await Promise.all([platform?.cache?.close(), platform?.database?.close()]);
  await platform?.messaging.close();
}
