/** `aibench monitor` on the machine that the test runs on, and promtool's word on what is deployed with it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { aibench, root, startAibench } from '../support/cli.ts';

const deploy = path.join(root, 'deploy/monitor');
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const reason = hasPromtool ? '' : ' (skipped: no promtool; Debian has it in the package prometheus)';
/** No wait for a controller that the machine may have. */
const env = { AIBENCH_IPMITOOL: '/no/such/ipmitool' };

describe('aibench monitor', () => {
  it('prints lines of JSON and ends after --count', () => {
    const { status, stdout, stderr } = aibench(['monitor', '--json', '--count', '2', '--interval', '0.7'], { env });
    expect(status, stderr).toBe(0);
    const frames = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line));
    expect(frames).toHaveLength(2);
    const load = frames[1].readings.find((one: { source: string }) => one.source === 'proc/load');
    expect(load).toMatchObject({ quantity: 'load', scope: 'node', kind: 'gauge', value: expect.any(Number) });
  });

  it('refuses an address and a number that are none, with a remedy', () => {
    for (const args of [
      ['--listen', 'nowhere'],
      ['--interval', '0'],
      ['--count', 'many'],
      ['--listen', '99999'],
    ]) {
      const { status, stderr } = aibench(['monitor', ...args], { env });
      expect(status, args.join(' ')).toBe(2);
      expect(stderr).toMatch(/For example --/);
    }
  });

  it('serves OpenMetrics until it is told to end; promtool finds nothing wrong', { timeout: 30_000 }, async () => {
    const child = startAibench(['monitor', '--listen', '0'], { env });
    const url = await new Promise<string>((resolve, reject) => {
      let seen = '';
      child.stderr?.on('data', chunk => {
        seen += chunk;
        const found = /(http:\S+)/.exec(seen)?.[1];
        if (found) resolve(found);
      });
      child.on('close', () => reject(new Error(seen)));
    });
    await new Promise(resolve => setTimeout(resolve, 1500));
    const answer = await fetch(url);
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toMatch(/^application\/openmetrics-text/);
    expect(text).toMatch(/^aibench_load\{source="proc\/load",scope="node",sensor="gauge"\} \d/m);
    expect((await fetch(new URL('/', url))).status).toBe(404);
    if (hasPromtool) {
      const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
      expect(checked.status, checked.stdout + checked.stderr).toBe(0);
    }
    child.kill('SIGTERM');
    expect((await child.ended).status).toBe(0);
  });
});

describe('deploy/monitor', () => {
  it.skipIf(!hasPromtool)(`configuration and rules pass promtool${reason}`, () => {
    for (const args of [
      ['check', 'config', 'prometheus.yml'],
      ['check', 'rules', 'rules.yml'],
    ]) {
      const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: deploy, encoding: 'utf8' });
      expect(status, stdout + stderr).toBe(0);
    }
  });

  it('the dashboard asks only for families that the exporter has', () => {
    const source = readFileSync(path.join(root, 'src/cli/render/monitor-metrics.ts'), 'utf8');
    const families = new Set(['aibench_source_ok']);
    for (const [, name, unit] of source.matchAll(/name: '(\w+)',\s*unit: '(\w*)'/g)) {
      families.add(`aibench_${name}${unit === '' ? '' : `_${unit}`}`);
    }
    expect(families.size).toBeGreaterThan(10);
    const dashboard = readFileSync(path.join(deploy, 'grafana-dashboard.json'), 'utf8');
    const asked = [dashboard, readFileSync(path.join(deploy, 'rules.yml'), 'utf8')].flatMap(
      text => text.match(/aibench_[a-z_]+/g) ?? [],
    );
    expect(asked.length).toBeGreaterThan(5);
    for (const name of asked) expect(families, name).toContain(name);
    expect(existsSync(path.join(deploy, 'prometheus.yml'))).toBe(true);
  });
});
