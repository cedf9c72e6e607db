/** What `aibench list` can list. */
export const LISTS = ['workloads', 'backends', 'kernels', 'sources', 'suites', 'models', 'metrics'] as const;
export type ListName = (typeof LISTS)[number];
