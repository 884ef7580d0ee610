import { readU32, readU64 } from '../abi/index.ts';
import { CaseBook } from './case-book.ts';
import type { Rule } from './rule.ts';
import { answered } from './track/hypercall.ts';
import { isHost } from './track/partition-tracker.ts';
import { MAP, MAP_INPUT } from './track/rep-call.ts';

const LARGE_PAGE = 0x8000_0000;
/** 4 KiB frames in a page of 2 MiB. */
const FRAMES = 512;

/** R41: what is mapped in pages of 2 MiB is named by their first frames. */
export const largePages: Rule = {
  id: 'R41',
  severity: 'error',
  title: 'A mapping in pages of 2 MiB names frames that none begins at',
  meaning:
    'With the large page flag an element of a mapping is a page of 2 MiB: the guest frame and each frame of the list are ' +
    'the first of such a page, multiples of 512, and the count is in pages of 2 MiB. A list that is filled by the index of ' +
    'a 4 KiB page names frames in the middle of the first one; the hypervisor refuses it with INVALID_PARAMETER.',
  silent: [
    'A mapping in pages of 4 KiB, of any frames.',
    'Pages of 2 MiB that do not follow each other.',
    'A list of which only a part was recorded.',
  ],
  source: 'TLFS 2013, HvMapGpaPages; Linux 7.2 drivers/hv/mshv_root_hv_call.c (hv_do_map_gpa_hcall)',
  watches: [{ kind: 'hypercall', codes: [MAP] }],
  needs: ['hypercall'],
  judge(input) {
    const cases = new CaseBook(largePages.id, input);
    return {
      step(step) {
        const hypercall = isHost(step) ? answered(step) : undefined;
        if (hypercall === undefined || hypercall.control.repCount === 0) return;
        const { input: bytes, control, component = 'unknown' } = hypercall;
        if ((readU32(bytes, MAP_INPUT.flags) & LARGE_PAGE) === 0) return;
        const elements = Math.min(
          control.repCount,
          Math.floor((bytes.length - MAP_INPUT.list.offset) / MAP_INPUT.list.stride),
        );
        let odd = readU32(bytes, MAP_INPUT.base) % FRAMES === 0 ? -1 : 0;
        for (let i = control.repStart; i < elements && odd < 0; i++) {
          if (readU32(bytes, MAP_INPUT.list, i) % FRAMES !== 0) odd = i;
        }
        if (odd < 0) return;
        const [partition, base] = [readU64(bytes, MAP_INPUT.partition), readU64(bytes, MAP_INPUT.base)];
        const finding = cases.open(
          { cause: [component], severity: 'error', component, culprit: input.now(), partition },
          {
            title: `${component} maps pages of 2 MiB, and element ${odd} does not begin at one`,
            fix: `let ${component} take every 512th frame for the list of a large mapping, and count in pages of 2 MiB`,
          },
        );
        if (finding.concerns(`partition[${partition}].gpa[0x${base.toString(16)}]`))
          finding.prove(input.now());
      },
      end: () => cases.report(),
    };
  },
};
