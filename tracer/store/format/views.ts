/**
 * The views for stock `sqlite3` (3.38 or newer, for JSON): no functions of ours, names through the table
 * `name`. The reader never uses them. docs/format.md explains each column.
 */

const named = (domain: string, number: string): string =>
  `(SELECT name FROM name WHERE domain = ${domain} AND number = ${number})`;

const orHex = (domain: string, number: string): string =>
  `coalesce(${named(domain, number)}, printf('0x%x', ${number}))`;

const WHO = `CASE
    WHEN a.vp IS NOT NULL THEN 'vp ' || a.vp
    WHEN a.cpu IS NOT NULL THEN 'cpu ' || a.cpu
    WHEN a.pid IS NOT NULL THEN a.pid || '/' || coalesce(a.tid, a.pid)
    ELSE '' END || CASE WHEN a.component IS NULL THEN '' ELSE ' ' || a.component END`;

/** Hex digits that a summary shows of a payload. */
const SHORT = 64;

const shortened = (text: string): string =>
  `CASE WHEN length(${text}) > ${SHORT} THEN substr(${text}, 1, ${SHORT}) || '…' ELSE ${text} END`;

const PAYLOAD = (column: string): string =>
  `CASE typeof(e.${column}) WHEN 'blob' THEN lower(hex(e.${column})) ELSE CASE e.${column} WHEN 0 THEN NULL ELSE 'blob ' || e.${column} END END`;

const ioctlDomain = `'ioctl.' || h.kind || '.' || (e.flags >> 12 & 15)`;
const fault = `e.flags & 128`;
const ret = `CASE WHEN e.flags & 32 THEN 'open' WHEN NOT e.flags & 16 THEN NULL WHEN e.result < 0 THEN coalesce(${named("'errno'", '-e.result')}, e.result) ELSE e.result END`;
const status = `CASE WHEN ${fault} THEN 'fault' WHEN e.flags & 16 THEN ${orHex("'status'", '(e.result & 4294967295)')} END`;
const more = (key: string): string =>
  `CASE typeof(e.more) WHEN 'text' THEN json_extract(e.more, '$.${key}') END`;
const moreText = `CASE typeof(e.more) WHEN 'text' THEN e.more END`;

/** The call that runs a VP until it stops; its output is the message that says why. */
const isRun = `h.kind = 'vp' AND ${named(ioctlDomain, 'e.code')} = 'MSHV_RUN_VP'`;

const FROM = `FROM event e
  LEFT JOIN actor a ON a.id = e.actor
  LEFT JOIN handle h ON h.id = e.handle`;

const parentOrNull = 'nullif(e.parent, 0) AS parent';

/** Bytes of a RUN_VP message; the first eight of a payload are never packed (payload-pack.ts). */
const MESSAGE = `CASE typeof(e.output) WHEN 'blob' THEN e.output ELSE (SELECT bytes FROM blob WHERE id = e.output) END`;

/** The first four bytes of a blob as a little-endian number: digit by digit, SQL has nothing better. */
function littleEndian32(bytes: string): string {
  const digit = (at: number, weight: number): string =>
    `(instr('123456789ABCDEF', substr(hex(${bytes}), ${at}, 1)) * ${weight})`;
  return [0, 1, 2, 3]
    .map((i) => `${digit(2 * i + 1, 16 * 256 ** i)} + ${digit(2 * i + 2, 256 ** i)}`)
    .join(' + ');
}

/** Name and query of each view. */
export const VIEWS: readonly (readonly [string, string])[] = [
  [
    'event_view',
    `SELECT e.seq AS seq,
  e.t / 1000.0 AS t_us,
  ${orHex("'kind'", 'e.kind')} AS kind,
  trim(${WHO}) AS who,
  h.name AS handle,
  CASE e.kind
    WHEN 0 THEN ${orHex(ioctlDomain, 'e.code')}
    WHEN 1 THEN ${orHex("'hypercall'", 'e.code')}
    WHEN 2 THEN CASE WHEN e.flags & 4 THEN 'write ' ELSE 'read ' END || ${orHex("'msr'", 'e.code')}
    WHEN 3 THEN ${orHex("'message'", 'e.code')}
    WHEN 4 THEN ${orHex("'message-type'", 'e.code')}
    WHEN 5 THEN ${orHex("'fd'", 'e.code')}
    WHEN 6 THEN ${orHex("'page'", 'e.code')} || ' ' || ${orHex("'page-kind'", '((e.flags >> 12 & 15) - 1)')}
    WHEN 7 THEN ${orHex("'lifecycle'", 'e.code')} || CASE e.flags >> 16 & 3 WHEN 1 THEN ' begin' WHEN 2 THEN ' end' ELSE '' END
    WHEN 8 THEN ${orHex("'mark'", 'e.code')}
  END AS op,
  CASE
    WHEN e.kind = 2 THEN CASE WHEN ${fault} THEN '#GP' END
    WHEN e.kind = 1 THEN ${status}
    WHEN e.kind IN (0, 5, 7) THEN ${ret}
  END AS status,
  CASE
    WHEN e.kind = 2 AND e.flags & 8 THEN printf('0x%x', e.value)
    WHEN e.kind = 3 AND e.flags & 16 THEN printf('0x%x', e.result)
    WHEN e.kind = 1 AND e.flags & 16 AND e.result >> 32 THEN (e.result >> 32) || ' reps'
    WHEN e.kind = 0 AND ${isRun} AND e.output THEN ${orHex("'message-type'", `(${littleEndian32(MESSAGE)})`)}
    WHEN e.kind = 0 THEN coalesce(${more('handle')}, ${shortened(PAYLOAD('output'))})
  END AS result,
  trim(CASE WHEN e.parent THEN '< ' || e.parent || ' ' ELSE '' END
    || CASE WHEN e.kind = 3 THEN 'SINT' || e.value || ' ' WHEN e.kind = 6 AND e.flags & 8 THEN printf('0x%x ', e.value)
       WHEN e.kind = 7 AND e.flags & 8 THEN 'partition ' || e.value || ' ' ELSE '' END
    || CASE WHEN e.flags & 256 THEN printf('%.3f us ', e.dur / 1000.0) ELSE '' END
    || coalesce(${shortened(PAYLOAD('arg'))} || ' ', '') || coalesce(${shortened(PAYLOAD('input'))} || ' ', '')
    || coalesce(${moreText}, '')) AS summary
${FROM}`,
  ],
  [
    'msr_view',
    `SELECT e.seq AS seq, ${parentOrNull}, e.t / 1000.0 AS t_us, a.cpu AS cpu, a.component AS component,
  CASE WHEN e.flags & 4 THEN 'write' ELSE 'read' END AS dir,
  ${orHex("'msr'", 'e.code')} AS msr,
  CASE WHEN e.flags & 8 THEN printf('0x%x', e.value) END AS value,
  CASE WHEN e.flags & 64 THEN (e.flags >> 7) & 1 END AS fault
FROM event e LEFT JOIN actor a ON a.id = e.actor
WHERE e.kind = 2`,
  ],
  [
    'ioctl_view',
    `SELECT e.seq AS seq, ${parentOrNull}, e.t / 1000.0 AS t_us, a.pid AS pid, a.tid AS tid, h.name AS handle,
  ${orHex(ioctlDomain, 'e.code')} AS op,
  ${ret} AS ret,
  CASE WHEN e.flags & 256 THEN e.dur / 1000.0 END AS dur_us,
  ${PAYLOAD('arg')} AS arg, ${PAYLOAD('input')} AS input, ${PAYLOAD('out_arg')} AS out_arg, ${PAYLOAD('output')} AS output,
  ${moreText} AS more
${FROM}
WHERE e.kind = 0`,
  ],
  [
    'hypercall_view',
    `SELECT e.seq AS seq, ${parentOrNull}, e.t / 1000.0 AS t_us, a.cpu AS cpu, a.component AS component,
  ${orHex("'hypercall'", 'e.code')} AS code,
  printf('0x%x', e.value) AS control,
  ${status} AS status,
  CASE WHEN e.flags & 16 THEN e.result >> 32 END AS reps,
  CASE WHEN e.flags & 256 THEN e.dur / 1000.0 END AS dur_us,
  ${PAYLOAD('input')} AS input, ${PAYLOAD('output')} AS output,
  ${moreText} AS more
FROM event e LEFT JOIN actor a ON a.id = e.actor
WHERE e.kind = 1`,
  ],
  [
    'intercept_view',
    `SELECT e.seq AS seq, ${parentOrNull}, e.t / 1000.0 AS t_us, a.vp AS vp, 'intercept' AS seen_as,
  ${orHex("'message-type'", 'e.code')} AS type,
  NULL AS dur_us, ${PAYLOAD('input')} AS payload, ${PAYLOAD('output')} AS registers
FROM event e LEFT JOIN actor a ON a.id = e.actor
WHERE e.kind = 4
UNION ALL
SELECT seq, parent, t_us, vp, 'MSHV_RUN_VP', ${orHex("'message-type'", 'r.type')}, dur_us, payload, NULL
FROM (SELECT e.seq AS seq, ${parentOrNull}, e.t / 1000.0 AS t_us, substr(h.name, 4) AS vp,
    CASE WHEN e.flags & 256 THEN e.dur / 1000.0 END AS dur_us, ${PAYLOAD('output')} AS payload,
    ${littleEndian32(MESSAGE)} AS type
  ${FROM}
  WHERE e.kind = 0 AND e.output AND ${isRun}) r`,
  ],
];
