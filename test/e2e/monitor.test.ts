/** `aibench monitor` on the machine that the test runs on, and promtool's word on what is deployed with it. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { aibench, root, startAibench, temporaryFolder } from '../support/cli.ts';

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

interface Dashboard {
  uid: string;
  schemaVersion: number;
  templating: { list: { name: string }[] };
  panels: {
    id: number;
    type: string;
    title: string;
    gridPos: { x: number; y: number; w: number; h: number };
    datasource: { uid: string };
    targets: { refId: string; expr: string }[];
  }[];
}

function dashboard(): Dashboard {
  return JSON.parse(readFileSync(path.join(deploy, 'grafana-dashboard.json'), 'utf8'));
}

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

  it('the dashboard is whole: panels side by side, each with a question to the chosen data source', () => {
    const { panels, templating, uid, schemaVersion } = dashboard();
    expect([typeof uid, schemaVersion >= 36]).toEqual(['string', true]);
    const variables = templating.list.map(({ name }) => `$${name}`);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Set<string>();
    for (const { title, type, gridPos, targets, datasource } of panels) {
      expect(['timeseries', 'stat', 'table', 'state-timeline'], title).toContain(type);
      expect(datasource.uid).toMatch(/^\$\{datasource\}$/);
      expect(targets.length, title).toBeGreaterThan(0);
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
      for (const { expr } of targets) {
        for (const variable of expr.match(/\$\w+/g) ?? []) expect(variables, title).toContain(variable);
      }
      expect(gridPos.x + gridPos.w, title).toBeLessThanOrEqual(24);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x},${y}`), `${title} lies over another panel`).toBe(false);
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  it.skipIf(!hasPromtool)(`the alerts fire when they should, and only then, by promtool${reason}`, () => {
    const label = (source: string) => `{instance="n1",source="${source}",scope="board",status="ok"}`;
    const lost = {
      exp_labels: { instance: 'n1', source: 'nvml/gpu-0/power', scope: 'board', status: 'ok' },
      exp_annotations: { summary: 'nvml/gpu-0/power on n1 can no longer be read' },
    };
    const test = {
      interval: '1m',
      input_series: [
        { series: `aibench_source_ok${label('nvml/gpu-0/power')}`, values: '1x7 0x10' },
        { series: `aibench_source_ok${label('powercap')}`, values: '0x20' },
      ],
      alert_rule_test: [
        { eval_time: '7m', alertname: 'AibenchSourceLost', exp_alerts: [] },
        { eval_time: '10m', alertname: 'AibenchSourceLost', exp_alerts: [lost] },
      ],
    };
    const file = path.join(temporaryFolder(), 'test.yml');
    writeFileSync(file, JSON.stringify({ rule_files: [path.join(deploy, 'rules.yml')], tests: [test] }));
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
  });

  it.skipIf(!hasPromtool)(`every question of the dashboard is PromQL to promtool${reason}`, () => {
    const rules = dashboard().panels.flatMap(({ targets }) =>
      targets.map(({ expr }) => ({ record: 'aibench:question', expr: expr.replaceAll('$instance', '.+') })),
    );
    const file = path.join(temporaryFolder(), 'rules.yml');
    // JSON is YAML.
    writeFileSync(
      file,
      JSON.stringify({
        groups: [
          { name: 'dashboard', rules: rules.map((rule, index) => ({ ...rule, labels: { index: String(index) } })) },
        ],
      }),
    );
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toContain(`${rules.length} rules found`);
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
