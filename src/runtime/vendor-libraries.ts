/**
 * Where a vendor's library may be, beside what the loader knows: fixed folders only, never a walk (a site-packages on a
 * network drive takes minutes to walk). The order: named by an environment variable, the loader's own search, the toolkit's
 * home, its usual folders, Python's packages, conda.
 */
import { existsSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface LibraryPlaces {
  /** Environment variable that names the library; nothing else is then looked at. */
  variable: string;
  /** File names, preferred first. */
  sonames: readonly string[];
  /** Environment variables that hold the home of a toolkit. */
  homes: readonly string[];
  /** Folders whose name begins so are homes too: `/usr/local/cuda` finds /usr/local/cuda and /usr/local/cuda-12.4. */
  prefixes: readonly string[];
  /** Below a Python's site-packages. */
  packages: readonly string[];
  /** Others. */
  folders?: readonly string[];
}

export interface SearchRoots {
  environment: NodeJS.ProcessEnv;
  /** `/`; another in tests. */
  root: string;
  home: string;
}

const HOME_FOLDERS = ['lib64', 'lib', 'targets/x86_64-linux/lib', 'targets/sbsa-linux/lib'];
const PYTHON_HOMES = ['/usr', '/usr/local', '/opt/venv', '/opt/conda'];

export function defaultRoots(environment: NodeJS.ProcessEnv): SearchRoots {
  return { environment, root: '/', home: os.homedir() };
}

/** Names to try in order: sonames for the loader, then full paths of files that are there. */
export function candidateLibraries(places: LibraryPlaces, roots: SearchRoots): string[] {
  const named = roots.environment[places.variable];
  if (named !== undefined && named !== '') return [named];
  const folders = [
    ...homesOf(places, roots).flatMap(home => HOME_FOLDERS.map(folder => path.join(home, folder))),
    ...sitePackages(roots).flatMap(site => places.packages.map(folder => path.join(site, folder))),
    ...condaFolders(roots),
    ...(places.folders ?? []).map(folder => path.join(roots.root, folder)),
  ];
  const found = folders.flatMap(folder => places.sonames.map(name => path.join(folder, name)).filter(existsSync));
  return [...new Set([...places.sonames, ...found])];
}

function homesOf({ homes, prefixes }: LibraryPlaces, { environment, root }: SearchRoots): string[] {
  const named = homes.map(name => environment[name]).filter(value => value !== undefined && value !== '');
  const usual = prefixes.flatMap(prefix => {
    const folder = path.join(root, path.dirname(prefix));
    const begin = path.basename(prefix);
    const isHome = (name: string): boolean => name === begin || name.startsWith(`${begin}-`);
    // The one without a version is a link to what is in use; then the newest.
    return names(folder)
      .filter(isHome)
      .sort(byVersion)
      .map(name => path.join(folder, name));
  });
  return [...(named as string[]), ...usual];
}

function byVersion(a: string, b: string): number {
  if (!/\d/.test(a)) return -1;
  if (!/\d/.test(b)) return 1;
  return b.localeCompare(a, 'en', { numeric: true });
}

/** `<home>/lib/python3.12/site-packages` of the interpreters in use and of the usual ones. */
function sitePackages({ environment, root, home }: SearchRoots): string[] {
  const active = [environment.VIRTUAL_ENV, environment.CONDA_PREFIX].filter(
    value => value !== undefined && value !== '',
  );
  const homes = [
    ...(active as string[]),
    ...pythonOnPath(environment),
    path.join(home, '.local'),
    ...PYTHON_HOMES.map(folder => path.join(root, folder)),
  ];
  return homes.flatMap(one =>
    ['lib', 'local/lib'].flatMap(lib => {
      const folder = path.join(one, lib);
      return names(folder)
        .filter(name => /^python3/.test(name))
        .flatMap(name => ['site-packages', 'dist-packages'].map(kind => path.join(folder, name, kind)));
    }),
  );
}

/** The home of the `python3` that a shell would start: that of an environment which is used without being activated. */
function pythonOnPath({ PATH }: NodeJS.ProcessEnv): string[] {
  const folder = (PATH ?? '')
    .split(path.delimiter)
    .find(one => path.isAbsolute(one) && existsSync(path.join(one, 'python3')));
  return folder === undefined ? [] : [path.dirname(folder)];
}

function condaFolders({ environment, root }: SearchRoots): string[] {
  const prefixes = [environment.CONDA_PREFIX, path.join(root, 'opt/conda')];
  return prefixes
    .filter(value => value !== undefined && value !== '')
    .map(prefix => path.join(prefix as string, 'lib'));
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
