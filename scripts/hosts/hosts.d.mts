export function whyNoHosts(): string | null;
export interface Hosts {
  names: string[];
  mpirun(
    ranks: number,
    args: string[],
    options?: { settings?: [string, string][]; environment?: Record<string, string>; timeoutSeconds?: number },
  ): Promise<{ status: number | null; stdout: string; stderr: string }>;
  stop(): Promise<void>;
}
export function startHosts(options: {
  count: number;
  megabits: number;
  delayMicroseconds: number;
  mtu?: number;
}): Promise<Hosts>;
