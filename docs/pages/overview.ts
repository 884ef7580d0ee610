import {
  allIoctls,
  channelMessages,
  constants,
  hypercalls,
  messageTypes,
  msrs,
  partitionProperties,
  registers,
  STRUCT_SUBJECTS,
  statuses,
  structsOfSubject,
  valueSets,
} from '../../engine/abi/index.ts';
import { GENERATED, page, table } from './markdown.ts';

/** docs/reference/README.md. */
export function overviewPage(): string {
  return page(
    '# ABI reference',
    `What hvrewind knows of the interface between mshv, VMBus and the Microsoft hypervisor. ${GENERATED}`,
    table(
      ['page', 'rows'],
      [
        ['[ioctls](ioctls/README.md), one page for each dialect', `${allIoctls().length}`],
        ['[hypercalls](hypercalls.md), control and result word', `${hypercalls.all().length}`],
        ['[statuses and errnos](statuses.md)', `${statuses.all().length}`],
        ['[synthetic MSRs](msrs.md)', `${msrs.all().length}`],
        ['[VP registers](registers.md)', `${registers.all().length}`],
        ['[SynIC message types](messages.md)', `${messageTypes.all().length}`],
        ['[channel messages of VMBus](vmbus.md)', `${channelMessages.all().length}`],
        ['[partition properties](properties.md)', `${partitionProperties.all().length}`],
        ['[enumerations and flags](values.md)', `${valueSets().size}`],
        ['[constants](constants.md)', `${constants().size}`],
      ],
    ),
    '## Structs',
    table(
      ['page', 'structs'],
      STRUCT_SUBJECTS.map((subject) => [
        `[${subject.title}](structs/${subject.name}.md)`,
        `${structsOfSubject(subject).length}`,
      ]),
    ),
  );
}
