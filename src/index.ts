/** What other programs may import: the document's types, its schema and reading. */
export { AibenchError, EXIT, type ExitCode } from './errors.ts';
export { resultJsonSchema } from './results/json-schema.ts';
export {
  type CaseResult,
  type Host,
  type Launch,
  type Metric,
  type ResultDocument,
  resultSchema,
  SCHEMA_ID,
} from './results/schema.ts';
