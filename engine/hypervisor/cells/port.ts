import { cell, objectKind } from '../../state/schema.ts';
import { CPU } from './cpu.ts';
import { PARTITION } from './partition.ts';

/** Linux 7.2 include/hyperv: enum hv_port_type. */
const PORT_TYPES = ['none', 'message', 'event', 'monitor', 'doorbell'] as const;
const type = () => cell({ as: 'enum', names: PORT_TYPES });

/** `partition[1].port[3]`: where the messages or signals of a connection go. */
export const PORT = objectKind('port', PARTITION, 'decimal', {
  type: type(),
  sint: cell('dec'),
  /** Index of the VP; all ones: any. */
  vp: cell('hex'),
  /** Of an event port: its first flag, and how many it has. */
  baseFlag: cell('dec'),
  flagCount: cell('dec'),
  /** Of a monitored port: the page that its sender writes to. */
  monitor: cell('hex'),
  /** The partition that may connect to it. */
  connectionPartition: cell('hex'),
});

/** `partition[2].connection[3]`: what a partition may call, or of a doorbell where its guest writes. */
export const CONNECTION = objectKind('connection', PARTITION, 'decimal', {
  type: type(),
  portPartition: cell('hex'),
  port: cell('dec'),
  gpa: cell('hex'),
  trigger: cell('hex'),
  /** HV_DOORBELL_FLAG_…: size of the write, and whether any value rings. */
  flags: cell('hex'),
});

/** `cpu[0].ring[0]`: an entry of the event ring of doorbells that the driver has not taken: the port that was rung. */
export const RING_ENTRY = objectKind('ring', CPU, 'decimal', { port: cell('dec') });
