export { UNMODELLED } from '../machine/unmodelled.ts';
