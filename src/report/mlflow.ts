/**
 * Bodies for MLflow's REST call `runs/log-batch`, one JSON per line and run: at most 1000 metrics, 100 params and 100 tags
 * in a call, names of the characters that MLflow takes. Send each with its run_id added.
 */
import type { ReportFormat } from './format.ts';
import { flatValues, hostName, qualifiedCase } from './measurements.ts';

const MOST_METRICS = 1000;
const LONGEST_KEY = 250;
const LONGEST_VALUE = 500;

export const mlflow: ReportFormat = {
  name: 'mlflow',
  summary: 'bodies for MLflow runs/log-batch, one JSON per line',
  render: documents =>
    documents
      .flatMap(document => {
        const timestamp = Date.parse(document.createdAt);
        const metrics = flatValues([document]).map(value => ({
          key: key(`${qualifiedCase(value)}/${value.name}`),
          value: value.value,
          timestamp,
          step: 0,
        }));
        const params = [
          { key: 'suite', value: document.suite.name },
          { key: 'suite_sha256', value: document.suite.sha256 },
          { key: 'seed', value: String(document.run.seed) },
          { key: 'launches', value: String(document.run.launches) },
        ].map(param => ({ ...param, value: param.value.slice(0, LONGEST_VALUE) }));
        const tags = [
          { key: 'aibench.document', value: document.id },
          { key: 'aibench.version', value: document.tool.version },
          { key: 'aibench.host', value: hostName(document) },
          { key: 'aibench.cpu', value: document.host.cpu.brand },
        ];
        const bodies: string[] = [];
        for (let from = 0; from === 0 || from < metrics.length; from += MOST_METRICS) {
          const rest = from === 0 ? { params, tags } : {};
          bodies.push(`${JSON.stringify({ metrics: metrics.slice(from, from + MOST_METRICS), ...rest })}\n`);
        }
        return bodies;
      })
      .join(''),
};

function key(text: string): string {
  return text.replace(/[^A-Za-z0-9_\-. /]/g, '_').slice(-LONGEST_KEY);
}
