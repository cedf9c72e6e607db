/** A strict little XML reader, and the rules of Jenkins' junit-10.xsd (xUnit plugin, MIT) written out. */
import { expect } from 'vitest';

export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

/** @throws where the text is not well-formed. */
export function parseXml(text: string): XmlElement {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what XML 1.0 forbids
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\p{Surrogate}/u.test(text))
    throw new Error('a character that XML forbids');
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  const token = /<\?xml[^>]*\?>|<(\/?)([A-Za-z-]+)((?:\s+[A-Za-z:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)|(<)/gy;
  let at = 0;
  for (const match of text.matchAll(token)) {
    if (match.index !== at) throw new Error(`not well-formed at ${at}`);
    at += match[0].length;
    const [, closing, name, attributes = '', empty, plain, stray] = match;
    const current = open.at(-1);
    if (stray !== undefined || current === undefined) throw new Error(`not well-formed at ${match.index}`);
    if (plain !== undefined) current.text += decode(plain);
    else if (name !== undefined && closing === '/') {
      if (current.name !== name) throw new Error(`</${name}> closes <${current.name}>`);
      open.pop();
    } else if (name !== undefined) {
      const element: XmlElement = { name, attributes: {}, children: [], text: '' };
      for (const [, key = '', value = ''] of attributes.matchAll(/([A-Za-z:-]+)="([^"]*)"/g)) {
        if (key in element.attributes) throw new Error(`${key} stands twice`);
        element.attributes[key] = decode(value);
      }
      current.children.push(element);
      if (empty !== '/') open.push(element);
    }
  }
  const [document] = root.children;
  if (at !== text.length || open.length !== 1 || root.children.length !== 1 || document === undefined)
    throw new Error('not one whole document');
  return document;
}

function decode(text: string): string {
  if (/&(?!(?:amp|lt|gt|quot|apos|#\d+);)/.test(text)) throw new Error('a bare ampersand');
  return text
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&amp;/g, '&');
}

interface ElementRule {
  required: string[];
  optional: string[];
  children: string[];
}

const RULES: Record<string, ElementRule> = {
  testsuites: { required: [], optional: ['name', 'time', 'tests', 'failures', 'errors'], children: ['testsuite'] },
  testsuite: {
    required: ['name', 'tests', 'failures', 'errors'],
    optional: ['group', 'time', 'skipped', 'timestamp', 'hostname', 'id', 'package', 'file', 'log', 'url'],
    children: ['testsuite', 'properties', 'testcase', 'system-out', 'system-err'],
  },
  properties: { required: [], optional: [], children: ['property'] },
  property: { required: ['name', 'value'], optional: [], children: [] },
  testcase: {
    required: ['name'],
    optional: ['time', 'classname', 'group'],
    children: ['skipped', 'error', 'failure', 'system-out', 'system-err'],
  },
  skipped: { required: [], optional: ['type', 'message'], children: [] },
  failure: { required: [], optional: ['type', 'message'], children: [] },
  error: { required: [], optional: ['type', 'message'], children: [] },
  'system-out': { required: [], optional: [], children: [] },
};
/** Elements whose type is mixed or a string; the others hold no text but blanks. */
const HOLD_TEXT = new Set(['skipped', 'failure', 'error', 'system-out']);

export function validateJunit(text: string): void {
  const root = parseXml(text);
  expect(root.name).toBe('testsuites');
  const visit = (element: XmlElement): void => {
    const rule = RULES[element.name];
    if (rule === undefined) throw new Error(`<${element.name}> is not in the schema`);
    for (const name of rule.required) expect(element.attributes, element.name).toHaveProperty(name);
    for (const name of Object.keys(element.attributes)) expect([...rule.required, ...rule.optional]).toContain(name);
    if (!HOLD_TEXT.has(element.name)) expect(element.text.trim()).toBe('');
    if ('time' in element.attributes)
      expect(element.attributes.time).toMatch(/^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]{0,3})?$/);
    for (const child of element.children) {
      expect(rule.children, `<${child.name}> in <${element.name}>`).toContain(child.name);
      visit(child);
    }
  };
  visit(root);
}
