/**
 * For commands that read a document or two: schemas check by interpreting themselves. Compiling them first, as zod does
 * otherwise, takes longer than it saves before some ten documents. Has its effect by being imported before any schema is.
 */
import * as z from 'zod';

z.config({ jitless: true });
