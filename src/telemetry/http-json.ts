/**
 * JSON over HTTP for devices that measure power. TLS certificates are verified; an own authority is given by file. Errors
 * carry a status code or an errno name, never the URL, the login or what the server said.
 */
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { errnoOf } from '../host/kernel-files.ts';

export interface HttpOptions {
  /** `user:password` for basic authentication. */
  login?: string;
  /** Bearer token. */
  token?: string;
  /** File with certificates (PEM) of the authority that signed the device's certificate. */
  authorityFile?: string;
  signal: AbortSignal;
}

/** What went wrong, in words that may be shown. */
export class HttpFailure extends Error {
  readonly denied: boolean;

  constructor(message: string, denied = false) {
    super(message);
    this.name = 'HttpFailure';
    this.denied = denied;
  }
}

/** A management controller's answer is some kilobytes. More is not what was asked for, and taking it in each second costs a part of a core. */
const MAX_BYTES = 512 << 10;

/** The parsed body of a GET. Rejects with HttpFailure. Redirects are not followed: they could carry the login elsewhere. */
export async function getJson(url: URL, options: HttpOptions): Promise<unknown> {
  return (await getDatedJson(url, options)).body;
}

/** With the server's clock as it answered, seconds since 1970 (RFC 9110, Date: whole seconds); null where it does not say. */
export function getDatedJson(url: URL, options: HttpOptions): Promise<{ body: unknown; dateSeconds: number | null }> {
  return new Promise((resolve, reject) => {
    const fail = (message: string, denied = false): void => reject(new HttpFailure(message, denied));
    let request: http.ClientRequest;
    try {
      request = open(url, options);
    } catch (error) {
      fail(`request not possible (${errnoOf(error)})`);
      return;
    }
    request.on('error', error => fail(describe(error)));
    request.on('response', response => {
      const status = response.statusCode ?? 0;
      if (status !== 200) {
        fail(`HTTP ${status}`, status === 401 || status === 403);
        // Not read to its end: that of an error page may never come.
        request.destroy();
        return;
      }
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        chunks.push(chunk);
        if (size > MAX_BYTES) request.destroy(new HttpFailure('answer too long'));
      });
      response.on('error', error => fail(describe(error)));
      response.on('end', () => {
        try {
          const date = Date.parse(response.headers.date ?? '') / 1e3;
          const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
          resolve({ body, dateSeconds: Number.isFinite(date) ? date : null });
        } catch {
          fail('answer is not JSON');
        }
      });
    });
    request.end();
  });
}

function open(url: URL, options: HttpOptions): http.ClientRequest {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (options.token) headers.authorization = `Bearer ${options.token}`;
  else if (options.login) headers.authorization = `Basic ${Buffer.from(options.login).toString('base64')}`;
  const common = { headers, signal: options.signal };
  if (url.protocol === 'http:') return http.request(url, common);
  return https.request(url, {
    ...common,
    ...(options.authorityFile ? { ca: readFileSync(options.authorityFile) } : {}),
  });
}

function describe(error: Error): string {
  if (error instanceof HttpFailure) return error.message;
  if (error.name === 'AbortError') return 'no answer in time';
  return errnoOf(error);
}

export interface Endpoint {
  url: URL;
  login?: string;
  token?: string;
  authorityFile?: string;
}

export type EndpointResult = { ok: true; endpoint: Endpoint } | { ok: false; reason: string };

/**
 * Pure but for files that the variables name: `<prefix>_URL`, `<prefix>_USER` with `<prefix>_PASSWORD` or
 * `<prefix>_PASSWORD_FILE`, or `<prefix>_TOKEN_FILE`; `<prefix>_CA_FILE`. A login inside the URL is refused, and so is one
 * over plain HTTP to another machine. Null where no URL is set.
 */
export function endpointFrom(prefix: string, environment: Record<string, string | undefined>): EndpointResult | null {
  const text = environment[`${prefix}_URL`];
  if (!text) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol)) return { ok: false, reason: `${prefix}_URL is no http or https URL` };
  if (url.username || url.password) {
    return { ok: false, reason: `${prefix}_URL holds a login; use ${prefix}_USER and ${prefix}_PASSWORD_FILE` };
  }
  const endpoint: Endpoint = { url };
  try {
    const user = environment[`${prefix}_USER`];
    const passwordFile = environment[`${prefix}_PASSWORD_FILE`];
    const password = passwordFile ? readFileSync(passwordFile, 'utf8').trim() : environment[`${prefix}_PASSWORD`];
    if (user && password !== undefined) endpoint.login = `${user}:${password}`;
    const tokenFile = environment[`${prefix}_TOKEN_FILE`];
    if (tokenFile) endpoint.token = readFileSync(tokenFile, 'utf8').trim();
  } catch (error) {
    return { ok: false, reason: `the file with the login cannot be read (${errnoOf(error)})` };
  }
  const authorityFile = environment[`${prefix}_CA_FILE`];
  if (authorityFile) endpoint.authorityFile = authorityFile;
  const isLocal = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol === 'http:' && !isLocal && (endpoint.login || endpoint.token)) {
    return { ok: false, reason: `${prefix}_URL would send a login unencrypted; use https` };
  }
  return { ok: true, endpoint };
}
