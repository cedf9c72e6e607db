/** The JSON Schema of the result document, generated from the zod schema. */
import * as z from 'zod';
import { resultSchema } from './schema.ts';

export function resultJsonSchema(): Record<string, unknown> {
  return {
    $id: 'aibench.result/1',
    title: 'aibench result document, version 1',
    ...z.toJSONSchema(resultSchema, { target: 'draft-2020-12', io: 'input' }),
  };
}
