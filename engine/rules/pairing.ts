import { judgeMappings } from './pairing-mappings.ts';
import { judgeObjects } from './pairing-objects.ts';
import type { Rule } from './rule.ts';
import { call } from './track/hypercall.ts';
import { ACQUIRING, RELEASING } from './track/objects.ts';
import { requests } from './track/requests.ts';

const LIFE = [call('FINALIZE_PARTITION'), call('DELETE_PARTITION')];

/** R15: what was taken is given back, once, before its owner goes. */
export const pairing: Rule = {
  id: 'R15',
  severity: 'error',
  title: 'What was mapped, created or connected is not given back, or is taken or given back twice',
  meaning:
    'State and statistics pages of VPs are mapped and unmapped, ports created and deleted, connections made and ' +
    'cut, VPs created and deleted, each of them once and in pairs. Pages that are still mapped when their partition is ' +
    'finalized stay with the hypervisor, and a connection that is not cut leaves its port behind. A program that maps a page ' +
    'of a VP keeps that VP, and with it the partition, until it unmaps it: closing the descriptors is not enough, the ' +
    'partition is never finalized, and in the end none can be created.',
  silent: [
    'VPs, intercepts and guest memory that finalization takes away.',
    'A process that exits: the kernel unmaps and closes for it.',
    'A descriptor of the partition that is open still, also in another process.',
    'A statistics area that the hypervisor does not have.',
    'What was taken before the recording began, or in a gap of it.',
    'The drivers of 2020, which leave state pages to finalization.',
  ],
  source:
    'Linux 7.2 drivers/hv/mshv_root_main.c (mshv_partition_ioctl_create_vp, destroy_partition, mshv_vp_mmap), ' +
    'mshv_eventfd.c; rust-vmm mshv pull request 251',
  watches: [
    { kind: 'hypercall', codes: [...ACQUIRING.keys(), ...RELEASING.keys(), ...LIFE] },
    'fd',
    { kind: 'ioctl', ops: [...requests('MSHV_CREATE_PARTITION'), ...requests('MSHV_CREATE_VP')] },
    'lifecycle',
    'mark',
  ],
  needs: [],
  judge(input) {
    const parts = [judgeObjects(pairing.id, input), judgeMappings(pairing.id, input)];
    return {
      step(step, store) {
        for (const part of parts) part.step(step, store);
      },
      end() {
        for (const part of parts) part.end();
      },
    };
  },
};
