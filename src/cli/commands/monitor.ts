/** `aibench monitor`: what the sensors say now. */
import type { Command } from 'commander';

export interface MonitorFlags {
  interval: string;
  count?: string;
  json?: boolean;
  listen?: string;
}

export function register(program: Command): void {
  program
    .command('monitor')
    .summary('power, temperature, clocks and throttling, live')
    .description(
      'Shows what the sensors say: power per scope, temperature, clocks, utilisation, throttling. Measures nothing and changes nothing.',
    )
    .option('--interval <seconds>', 'between two views', '1')
    .option('--count <n>', 'end after so many views')
    .option('--json', 'print a line of JSON per view')
    .option('--listen <address>', 'serve OpenMetrics at http://<address>/metrics: a port, or host:port')
    .addHelpText(
      'after',
      `
Examples:
  aibench monitor
  aibench monitor --json --count 10
  aibench monitor --listen 9464            for Prometheus; deploy/monitor has its configuration

A port alone listens on 127.0.0.1.`,
    )
    .action(async (flags: MonitorFlags) => {
      const { monitor } = await import('./monitor-action.ts');
      await monitor(flags);
    });
}
