/** `.tocsin/runtime.json`: where everything of a running Tocsin is. */
export interface TocsinRuntime {
  pid: number;
  /** True when every instance has been ready. */
  ready: boolean;
  gateways: string[];
  instances: { service: string; instance: string; pid: number; health: string; log: string }[];
  servers: Record<string, { url: string; pid: number }>;
  /** The file that holds the admin's API token. */
  tokenFile: string;
  /** The page of Jaeger, when it runs here. */
  jaeger?: string;
  /** With `--drill`: the address of the control port. */
  control?: string;
  /** With `--drill`: the process that carries the links. */
  links?: { pid: number };
}
