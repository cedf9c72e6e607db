/** The remote sources, one row each. */
import type { RemoteSource } from './remote.ts';
import { dcmi } from './sources/dcmi.ts';
import { hlSmi } from './sources/hl-smi.ts';
import { powermetrics } from './sources/powermetrics.ts';
import { prometheus } from './sources/prometheus.ts';
import { ptdaemon } from './sources/ptdaemon.ts';
import { redfish } from './sources/redfish.ts';
import { smartPlug } from './sources/smart-plug.ts';
import { snmpPdu } from './sources/snmp-pdu.ts';

export const remoteSources: readonly RemoteSource[] = [
  dcmi,
  redfish,
  ptdaemon,
  snmpPdu,
  smartPlug,
  prometheus,
  hlSmi,
  powermetrics,
];
