import { judgeCallOutcomes } from './call-outcome.ts';
import { judgeRepeatedWork } from './repeated-work.ts';
import type { Rule } from './rule.ts';
import { judgeTransientStatus } from './transient-status.ts';

/** R06: what a hypercall answered is what its caller goes by, and what the caller tells others. */
export const resultDiscipline: Rule = {
  id: 'R06',
  severity: 'error',
  title: 'What a hypercall answered is not what its caller makes of it',
  meaning:
    'The result of a hypercall is a status in its lowest 16 bits and, of a rep call, the number of elements completed in bits 32 to 43. Who compares the whole ' +
    'word with 0 takes a rep call that succeeded for a failure; who masks the word before the count is read takes it for a call that did nothing, and makes it ' +
    'again. An ioctl says that it succeeded only if the call that does its work did, and what it created is still there: else a program goes on with a VP that does not exist. ' +
    'A message for which the hypervisor has no buffer or memory at the moment, or that comes too soon after others (INVALID_CONNECTION_ID of a ' +
    'connection that has taken messages), is sent again until it is taken, or its failure is reported; and a VP whose start timed out is started again.',
  silent: [
    'An ioctl that fails after its hypercalls succeeded for a reason of its own: no memory, a signal, a bad address.',
    'A status that has another way round: the statistics of a parent that does not tell them, an empty pool at the end of a withdrawal.',
    'The same registers are read, the same TLBs flushed again and again.',
    'A call that was cut short and goes on where it stopped.',
    'INVALID_CONNECTION_ID for the preferred connection, and then the other one.',
    'A start that timed out at every one of several tries, or whose failure is reported.',
    'Masking the result of a simple call, which has no count.',
  ],
  source:
    'TLFS, Hypercall Outputs; Linux 7.2 drivers/hv/mshv_root_main.c (mshv_partition_ioctl_create_vp) and drivers/hv/connection.c (vmbus_post_msg); ' +
    'arch/x86/hyperv/ivm.c (hv_snp_boot_ap); ' +
    'review of “Drivers: hv: Introduce mshv_root module”, v5; openvmm issue 1565',
  watches: ['hypercall', 'ioctl', 'lifecycle', 'mark'],
  needs: ['hypercall'],
  judge(input) {
    const parts = [judgeCallOutcomes, judgeRepeatedWork, judgeTransientStatus].map((part) =>
      part(resultDiscipline.id, input),
    );
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
