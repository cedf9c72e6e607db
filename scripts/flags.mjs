// The flags of our scripts: `--help` prints the comment at the top of the script, a flag that there is not ends it with one sentence and exit code 2.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/**
 * @template {import('node:util').ParseArgsConfig} T
 * @param {string} script import.meta.url of the script
 * @param {T} config as parseArgs takes it
 * @returns {ReturnType<typeof parseArgs<T>>}
 */
export function readFlags(script, config) {
  try {
    const parsed = parseArgs({ ...config, options: { ...config.options, help: { type: 'boolean' } } });
    if (!parsed.values.help) return parsed;
    const lines = readFileSync(fileURLToPath(script), 'utf8').split('\n');
    const end = lines.findIndex(line => !line.startsWith('//') && !line.startsWith('#!'));
    const comment = lines.slice(0, end).filter(line => line.startsWith('//'));
    console.log(comment.map(line => line.replace(/^\/\/ ?/, '')).join('\n'));
    process.exit(0);
  } catch (error) {
    if (!String(error.code).startsWith('ERR_PARSE_ARGS')) throw error;
    console.error(`aibench: ${error.message.split(/\. |\n/)[0]}. --help shows what there is.`);
    process.exit(2);
  }
}
