/** What the flags of `aibench run` come to. */
export interface RunFlags {
  output?: string;
  filter?: string[];
  dryRun?: boolean;
  launches?: number;
  seed?: number;
  model?: string[];
  set?: string[];
  label?: string;
  json?: boolean;
  quiet?: boolean;
  coolTo?: number;
  ratedWatts?: number;
}
