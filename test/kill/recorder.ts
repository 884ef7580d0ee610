/**
 * Records into the file that is its argument until its time is up or it is killed, and tells on stdout how far it
 * is: the last seq and the time in ns, eight bytes each, after each batch; seq −1 when it has ended.
 */
import { writeSync } from 'node:fs';
import { newChunk } from '../../engine/state/journal.ts';
import { seqOf } from '../../engine/trace/position.ts';
import { parseProfile } from '../../engine/trace/profile-read.ts';
import { isProblem, TraceWriter } from '../../tracer/store/index.ts';
import { answerAt, eventAt, OPEN_FOR } from './events.ts';

const [path = '', runMs = '0'] = process.argv.slice(2);
const read = parseProfile({});
if ('problem' in read) throw new Error(read.problem.message);
const created = TraceWriter.create(path, { profile: read.profile, given: {} });
if (isProblem(created)) throw new Error(created.text);
const writer: TraceWriter = created;

const start = process.hrtime.bigint();
const now = (): number => Number(process.hrtime.bigint() - start);
const report = Buffer.alloc(16);
let seq = 0;

function tell(t: number): void {
  report.writeDoubleLE(seq, 0);
  report.writeDoubleLE(t, 8);
  writeSync(1, report);
}

function batch(): void {
  const t = now();
  for (let i = 0; i < 100; i += 1) {
    seq += 1;
    const event = eventAt(seq, t);
    if (event.kind === 'ioctl') writer.begin(event);
    else writer.append(event);
    if ((seq - OPEN_FOR) % 1000 === 1 && seq > OPEN_FOR)
      writer.complete(seqOf(seq - OPEN_FOR), answerAt(seq - OPEN_FOR, t));
  }
  if (seq % 5000 === 0) {
    const chunk = newChunk(seq / 5000 - 1, 1);
    chunk.count = 1;
    chunk.seq[0] = seq;
    writer.journal(chunk);
  }
  tell(now());
  if (t < Number(runMs) * 1e6) setTimeout(batch, 1);
  else {
    writer.close();
    seq = -1;
    tell(now());
  }
}

tell(0);
batch();
