/** `npm run test:mutations`: changes everything there is to change, and writes docs/mutations.md. Exit 1 for what is missed. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { replay } from '../../engine/replay/replay.ts';
import { ENGINE_VERSION } from '../../engine/version.ts';
import { SIDES } from '../../main/cli/sides.ts';
import { mutationsOf } from './answers.ts';
import { AnswerTable } from './answers-table.ts';
import { bootOfQemu, recordings, sourceOf } from './corpus.ts';
import { claimsWrongly, diverges, seenLess } from './depths.ts';
import { NO_OP_REASONS } from './no-ops.ts';
import { finalOf } from './outcome.ts';
import { generator, sampled } from './random.ts';
import { StimulusTable, trialsOf } from './stimuli-table.ts';

/** Bytes that are changed of one buffer of one event. */
const BYTES = 4;
/** Of QEMU's boot: as many events, and as many changes. */
const [BOOT_EVENTS, BOOT_CHANGES] = [3000, 150];

const seed = Number(process.env.HVREWIND_SEED ?? Date.now() % 0x7fff_ffff) | 1;
const random = generator(seed);
const all = recordings();
const answers = new AnswerTable();
const stimuli = new StimulusTable();
let [compared, found] = [0, 0];

for (const recording of all) {
  const mutations = recording.events.flatMap(mutationsOf);
  const each = sampled(mutations, ({ event, field, of }) => `${event.seq} ${field} ${of}`, 0, random);
  const buffers = mutations.filter(({ field }) => /^(?:input|output|slot|payload|out\..+)$/.test(field));
  const bytes = Array.from({ length: BYTES }, () =>
    sampled(buffers, ({ event, field }) => `${event.seq} ${field}`, 0, random),
  );
  found += answers.change(recording, [...each, ...bytes.flat()]).found.size;
  compared += replay(sourceOf(recording, recording.events), SIDES).checked;
  for (const trial of trialsOf(recording)) stimuli.try(trial);
  console.error(`${recording.name}: done`);
}
const boot = bootOfQemu(BOOT_EVENTS);
answers.change(
  boot,
  sampled(
    boot.events.flatMap(mutationsOf),
    ({ event, field }) => `${event.kind} ${field}`,
    BOOT_CHANGES,
    random,
  ),
);

const depths = all.flatMap(seenLess);
const diverging = depths.filter(diverges).map(({ name }) => `${name}: diverges`);
const wrong = all.flatMap((whole) => {
  const { known } = finalOf(sourceOf(whole, whole.events));
  const later = seenLess(whole).filter((less) => less.isMidLife && less.depth === 'with all below');
  return later.flatMap((less) => claimsWrongly(known, less));
});
const missed = [...answers.missed, ...stimuli.missed, ...diverging, ...wrong];
const reasons = NO_OP_REASONS.map((reason) => `| ${reason} | ${stimuli.reasons.get(reason) ?? 0} |`).join(
  '\n',
);
const page = `# Mutations

Written by \`npm run test:mutations\` on ${new Date().toISOString().slice(0, 10)}, engine ${ENGINE_VERSION}, seed ${seed}: ${all.length} recordings of
samples, scenarios and sections of the conformance tables, and the first ${BOOT_EVENTS} events of QEMU's boot.

## Changed answers

Every answer that a recording holds, and every request that the engine makes itself, is changed by itself (of a buffer ${BYTES + 1} bytes). A
change is found when a replay reports a divergence at that position and field; else the field is bound, for the reason that the replay
counts (docs/engine.md, "Bound"). Of ${compared} fields that replays of the recordings compare, changes of ${found} were found; the bytes
tried of the others are bound. Missed: ${answers.missed.length}.

${answers.markdown()}

## Changed stimuli

Every field of what comes from outside is changed (plus one, bits flipped, other words), every stimulus is dropped with all below it, and
swapped with the next. It shows in a divergence, in an answer that no rule covers, in a finding, in the end state, or in the journal
alone. In all: ${stimuli.totals()}. Missed: ${stimuli.missed.length}.

What shows nothing is of a kind that cannot:

| why | changes |
|---|---|
${reasons}

${stimuli.markdown()}

## Less seen

Each recording at nine depths (calls alone, hypercalls alone and so on), from its start and from each of its stimuli on as that of
a machine that was up already: ${depths.length} replays, of which ${diverging.length} diverge.
`;
writeFileSync(join(import.meta.dirname, '../../docs/mutations.md'), page);
for (const each of missed) console.error(each);
process.exitCode = missed.length === 0 ? 0 : 1;
