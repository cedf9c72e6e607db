/** The remote sources, one row each. */
import type { RemoteSource } from './remote.ts';
import { dcmi } from './sources/dcmi.ts';
import { prometheus } from './sources/prometheus.ts';
import { redfish } from './sources/redfish.ts';
import { smartPlug } from './sources/smart-plug.ts';

export const remoteSources: readonly RemoteSource[] = [dcmi, redfish, smartPlug, prometheus];
