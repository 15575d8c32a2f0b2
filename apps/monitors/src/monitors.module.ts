import { Module } from '@nestjs/common';
import { SpecValidation } from './spec-validation.ts';
import { Bounds } from './bounds.ts';
import { ChannelsController } from './channels/channels.controller.ts';
import { ChannelsReader } from './channels/channels.reader.ts';
import { ChannelsService } from './channels/channels.service.ts';
import { ChannelsStore } from './channels/channels.store.ts';
import { MonitorsController } from './monitors/monitors.controller.ts';
import { MonitorsReader } from './monitors/monitors.reader.ts';
import { MonitorsService } from './monitors/monitors.service.ts';
import { MonitorsStore } from './monitors/monitors.store.ts';
import { OperationsReader } from './operations.reader.ts';
import { Secrets } from './secrets.ts';
import { Reads } from './reads.ts';
import { ReconcileStore } from './reconcile/reconcile.store.ts';
import { Reconciler } from './reconcile/reconciler.ts';
import { Resealer } from './reseal/resealer.ts';
import { SealedRecords } from './reseal/sealed-records.ts';
import { FirstToken } from './tokens/first-token.ts';
import { TokenSecrets } from './tokens/token-secrets.ts';
import { TokensController } from './tokens/tokens.controller.ts';
import { TokensReader } from './tokens/tokens.reader.ts';
import { VerifiedTokens } from './tokens/verified-tokens.ts';
import { TokensService } from './tokens/tokens.service.ts';
import { TokensStore } from './tokens/tokens.store.ts';

@Module({
  controllers: [MonitorsController, ChannelsController, TokensController],
  providers: [
    OperationsReader,
    Reads,
    Secrets,
    Bounds,
    SpecValidation,
    MonitorsReader,
    MonitorsService,
    ChannelsReader,
    ChannelsService,
    TokensReader,
    VerifiedTokens,
    TokensService,
    TokenSecrets,
    SealedRecords,
    Resealer,
    FirstToken,
    Reconciler,
    MonitorsStore,
    ChannelsStore,
    TokensStore,
    ReconcileStore,
  ],
})
export class MonitorsModule {}
