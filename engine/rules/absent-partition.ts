import { type FieldHandle, fieldOf, hypercalls, readU64, structOf } from '../abi/index.ts';
import { CaseBook } from './case-book.ts';
import type { Moment } from './open-finding.ts';
import { hasPhases } from './partition-phase.ts';
import type { Rule } from './rule.ts';
import { answered, call, isShortage, partitionField, SELF, SUCCESS, status } from './track/hypercall.ts';
import { isHost, PARTITIONS } from './track/partition-tracker.ts';

const INVALID_PARTITION_ID = status('INVALID_PARTITION_ID');
const CREATE = call('CREATE_PARTITION');
const GET_ID = call('GET_PARTITION_ID');
const OWN_ID = fieldOf('hv_output_get_partition_id', 'partition_id');
/** Goes on behind the child that was told last, which may have been deleted meanwhile. */
const NEXT_CHILD = call('GET_NEXT_CHILD_PARTITION');
/** They name it inside an identity. */
const STATS = ['MAP_STATS_PAGE', 'MAP_STATS_PAGE2', 'UNMAP_STATS_PAGE'].map(call);

/** Every call that names partitions, and where. */
const NAMING: ReadonlyMap<number, readonly FieldHandle[]> = new Map([
  ...hypercalls.all().flatMap(({ value, input }): [number, readonly FieldHandle[]][] => {
    if (input === undefined || value === undefined || value === NEXT_CHILD) return [];
    const ids = structOf(input).fields.filter(({ display }) => display === 'partition');
    return ids.length === 0 ? [] : [[value, ids.map(({ name }) => fieldOf(input, name))]];
  }),
  ...STATS.map((code): [number, readonly FieldHandle[]] => [code, [partitionField(code)]]),
]);

/** R49: a partition is named after it was created. */
export const absentPartition: Rule = {
  id: 'R49',
  severity: 'error',
  title: 'A call names a partition that is not there',
  meaning:
    'The hypervisor gives a partition its id when it creates it, and whoever names the partition got the id from there. A call that names ' +
    'another one is refused with INVALID_PARTITION_ID: its caller has not created the partition, goes on although the creation failed, ' +
    'or has the id of something else; with other numbers the same mistake reaches the partition of another program. One finding ' +
    'covers all such calls of one component, and the first of them names it.',
  silent: [
    'HV_PARTITION_ID_SELF, and the own id as HVCALL_GET_PARTITION_ID told it.',
    'A partition that was there and has been deleted: that is R10.',
    'The hypervisor took the call: it knows more partitions than the trace shows.',
    'Children are told one after the other, and one of them goes meanwhile.',
    'What a guest asks for.',
    'The recording began mid-life, or events are missing before the call.',
  ],
  source:
    'TLFS 2013, HvCreatePartition and partition ids; Linux 7.2 drivers/hv/mshv_root_hv_call.c (hv_call_create_partition)',
  watches: [{ kind: 'hypercall', codes: [CREATE, GET_ID, ...NAMING.keys()] }, 'mark'],
  needs: ['hypercall'],
  judge(input) {
    const partitions = input.tracker(PARTITIONS);
    const cases = new CaseBook(absentPartition.id, input);
    let isKnown = input.profile.initial !== 'unknown';
    let own: bigint | undefined;
    /** The last creation, where it failed. */
    let failed: Moment | undefined;

    function isAbsent(id: bigint, code: number): boolean {
      if (id === SELF || id === own) return false;
      const life = partitions.life(id);
      return life === undefined || (life.phase === 'deleted' && !hasPhases(code));
    }

    return {
      step(step) {
        const { event } = step;
        if (event.kind === 'mark' && event.what === 'gap') isKnown = false;
        if (event.kind !== 'hypercall' || event.result === undefined || !isKnown) return;
        // Nearly every call succeeds, and few tell an id.
        if (event.result.status === SUCCESS && event.output?.length !== OWN_ID.length) return;
        const hypercall = isHost(step) ? answered(step) : undefined;
        if (hypercall === undefined) return;
        const { status: answer, output, component, control } = hypercall;
        const { code } = control;
        if (code === CREATE && !isShortage(answer)) failed = answer === SUCCESS ? undefined : input.now();
        if (code === GET_ID && output !== undefined) own = readU64(output, OWN_ID);
        if (answer !== INVALID_PARTITION_ID || component === undefined) return;
        const id = NAMING.get(code)
          ?.map((field) => readU64(hypercall.input, field))
          .find((each) => isAbsent(each, code));
        if (id === undefined) return;
        const name = hypercalls.name(code);
        const why = failed === undefined ? 'that is not there' : 'whose creation failed';
        const finding = cases.open(
          { cause: [component], severity: 'error', component, culprit: input.now(), partition: id },
          {
            title: `${component} makes ${name} on a partition ${why}`,
            fix: `let ${component} name the partition that ${hypercalls.name(CREATE)} gave it, and none when that failed`,
          },
        );
        if (failed !== undefined) finding.explains('created', failed);
        // Whoever takes a partition to be there goes on so: it is the same mistake.
        if (!finding.concerns(`partition[${id}]`)) finding.explains(name, input.now());
        else finding.prove(input.now());
      },
      end: () => cases.report(),
    };
  },
};
