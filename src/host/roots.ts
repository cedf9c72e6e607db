/** Where the machine is read from. Tests point these at fixture trees. */
import path from 'node:path';

export interface HostRoots {
  sys: string;
  proc: string;
  etc: string;
  /** The root folder itself, for the marks that container runtimes leave there. */
  root: string;
}

export const HOST_ROOTS: HostRoots = hostRootsUnder('/');

/** All roots below one folder. */
export function hostRootsUnder(root: string): HostRoots {
  return { sys: path.join(root, 'sys'), proc: path.join(root, 'proc'), etc: path.join(root, 'etc'), root };
}
