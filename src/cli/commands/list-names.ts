/** What `aibench list` can list. */
export const LISTS = ['workloads', 'backends', 'kernels', 'devices', 'sources', 'suites', 'models', 'metrics'] as const;
export type ListName = (typeof LISTS)[number];
