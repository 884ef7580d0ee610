import {
  allIoctls,
  IOCTL_DIALECTS,
  type IoctlDialect,
  type IoctlRow,
  ioctlsOf,
  meaningsOfIoctl,
} from '../../engine/abi/index.ts';
import { code, GENERATED, hex, page, table } from './markdown.ts';
import { structLink } from './structs.ts';

const TITLES: Readonly<Record<IoctlDialect, string>> = {
  upstream: 'Upstream mshv ioctls',
  vtl: 'VTL driver ioctls',
  rfc2020: 'Ioctls of the 2020 RFC',
  'rust-vmm': 'Further ioctls that rust-vmm knows',
  'dom0-legacy': 'Ioctls of the out-of-tree dom0 driver',
};

export function ioctlPages(): Map<string, string> {
  const pages = new Map<string, string>([['ioctls/README.md', overview()]]);
  for (const dialect of IOCTL_DIALECTS) pages.set(`ioctls/${dialect}.md`, dialectPage(dialect));
  return pages;
}

function overview(): string {
  const numbers = new Set(allIoctls().flatMap((row) => (row.number === undefined ? [] : [row.number])));
  const shared = [...numbers]
    .map((number) => ({ number, rows: meaningsOfIoctl(number) }))
    .filter(({ rows }) => new Set(rows.map((row) => `${row.dialect} ${row.name}`)).size > 1);
  return page(
    '# Ioctls',
    `${GENERATED} A number means nothing without the dialect and the kind of descriptor. Bits 0..7 of it are the nr,` +
      ' 8..15 the type (0xb8), 16..29 the size of the argument, 30..31 the direction (1 the driver reads the argument,' +
      ' 2 it writes it, 3 both).',
    table(
      ['dialect', 'calls', 'source'],
      IOCTL_DIALECTS.map((dialect) => [
        `[${dialect}](${dialect}.md)`,
        `${ioctlsOf(dialect).length}`,
        ioctlsOf(dialect)[0]?.source ?? '',
      ]),
    ),
    '## Numbers with more than one meaning',
    table(
      ['number', 'meanings'],
      shared.map(({ number, rows }) => [
        code(hex(number, 8)),
        rows.map((row) => `${row.name} (${row.dialect}, ${row.fds.join(' or ')})`).join('; '),
      ]),
    ),
  );
}

function dialectPage(dialect: IoctlDialect): string {
  const rows = ioctlsOf(dialect);
  const notes = rows.filter(({ note }) => note !== '');
  return page(
    `# ${TITLES[dialect]}`,
    `${GENERATED} Source: ${rows[0]?.source ?? ''}.`,
    table(
      ['number', 'on', 'name', 'direction', 'nr', 'argument', 'opens', 'in', 'out', 'written back'],
      rows.map(ioctlCells),
    ),
    notes.length === 0 ? '' : '## Notes',
    [...new Set(notes.map(({ name, note }) => `- ${name}: ${note}`))].join('\n'),
  );
}

function ioctlCells(row: IoctlRow): string[] {
  const size = row.size === undefined ? 'size not known' : `${row.size} bytes`;
  return [
    row.number === undefined ? '' : code(hex(row.number, 8)),
    row.fds.join(', '),
    row.name,
    row.direction,
    hex(row.nr, 2),
    row.argument === undefined ? (row.size === 0 ? '' : size) : `${structLink(row.argument, '../')}, ${size}`,
    row.opens ?? '',
    row.in ?? '',
    row.out ?? '',
    row.writesBack.join(', '),
  ];
}
