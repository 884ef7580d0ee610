import { channelMessages, fieldOf, hypercalls, readU32, VMBUS_MESSAGE_TYPE } from '../abi/index.ts';
import type { HypercallEvent } from '../trace/event.ts';
import { OpenFindings } from './open-findings.ts';
import type { Rule } from './rule.ts';
import type { Control } from './track/synic.ts';
import { MAX_CPUS } from './track/synic-registers.ts';
import { SYNIC } from './track/synic-tracker.ts';

const POST_MESSAGE = hypercalls.number('HVCALL_POST_MESSAGE');
const INITIATE_CONTACT = channelMessages.number('INITIATE_CONTACT');
const UNLOAD = channelMessages.number('UNLOAD');
/** Those after which VMBus does nothing else until it has its answer. */
const AWAITED: ReadonlySet<number> = new Set([INITIATE_CONTACT, UNLOAD]);
const TYPE = fieldOf('hv_input_post_message', 'message_type');
const PAYLOAD = fieldOf('hv_input_post_message', 'payload').offset;
const CHANNEL_TYPE = fieldOf('vmbus_channel_initiate_contact', 'vmbus');
const TARGET = fieldOf('vmbus_channel_initiate_contact', 'target_vcpu');

/** R33: who waits for an answer leaves the way for it open. */
export const answerCannotCome: Rule = {
  id: 'R33',
  severity: 'error',
  title: 'A request is posted whose answer cannot be delivered',
  meaning:
    'The host answers INITIATE_CONTACT and UNLOAD by a message to the CPU that made contact, and VMBus waits for it without an end. Where ' +
    'SIMP or SCONTROL of that CPU is off by then, the hypervisor has no slot to put the answer into: the kernel hangs in the middle of a ' +
    'kexec or an unload. So the request is posted before the SynIC goes. Where another component took the SynIC away, that is the cause (R01).',
  silent: [
    'UNLOAD is posted while SIMP and SCONTROL of the CPU that made contact are on; its SINT may be masked, the slot can be polled.',
    'The SynIC of another CPU is off.',
    'Nobody in the trace switched it off: it may not have been recorded.',
    'Requests that nobody waits for.',
  ],
  source:
    'TLFS, SynIC (message delivery); Linux 7.2 drivers/hv/channel_mgmt.c (vmbus_initiate_unload, vmbus_wait_for_unload), ' +
    'drivers/hv/vmbus_drv.c (hv_kexec_handler)',
  watches: [{ kind: 'hypercall', codes: [POST_MESSAGE] }, 'msr'],
  needs: ['hypercall', 'msr'],
  judge(input) {
    const synics = input.tracker(SYNIC);
    const findings = new OpenFindings(answerCannotCome.id, input);
    const nested = input.profile.role === 'nested-root';
    /** The CPU that answers come to. */
    let connected = 0;

    function posted(event: HypercallEvent, block: Uint8Array): void {
      const type = readU32(block, { ...CHANNEL_TYPE, offset: PAYLOAD + CHANNEL_TYPE.offset });
      if (!AWAITED.has(type)) return;
      if (type === INITIATE_CONTACT) {
        const isWhole = block.length >= PAYLOAD + TARGET.offset + TARGET.size;
        const target = isWhole ? readU32(block, { ...TARGET, offset: PAYLOAD + TARGET.offset }) : 0;
        connected = target < MAX_CPUS ? target : 0;
      }
      const synic = synics.of(connected, nested);
      const gone = synic === undefined ? undefined : [synic.simp, synic.scontrol].find(isGone);
      if (gone === undefined) return;
      const culprit = input.now();
      if (gone.harm !== undefined) {
        gone.harm.finding.explains(gone.cell, culprit);
        return;
      }
      const component = event.component ?? 'unknown';
      const cause = [component, channelMessages.name(type), gone.register.name];
      const finding = findings.of({ cause, severity: 'error', component, culprit });
      if (finding.concerns(gone.cell, connected) && gone.offBy !== undefined)
        finding.prove(gone.offBy.moment);
    }

    return {
      step({ event, returned }) {
        if (event.kind !== 'hypercall' || returned || event.vp !== undefined) return;
        const { input: block, result } = event;
        // A request that was refused has no answer.
        if (block === undefined || (result !== undefined && result.status !== 0)) return;
        if (block.length < PAYLOAD + CHANNEL_TYPE.offset + CHANNEL_TYPE.size) return;
        if (readU32(block, TYPE) === VMBUS_MESSAGE_TYPE) posted(event, block);
      },
      end() {
        for (const finding of findings.all()) {
          const [who, request, register] = finding.root.cause;
          const title = `${who} posts ${request} when ${register} of the CPU that gets the answer is off`;
          input.report(
            finding.close(
              title,
              `let ${who} post ${request} and wait for the answer before ${register} is switched off`,
            ),
          );
        }
      },
    };
  },
};

/** Switched off, by somebody whom the trace shows. */
function isGone({ on, offBy, harm }: Control): boolean {
  return on === false && (offBy !== undefined || harm !== undefined);
}
