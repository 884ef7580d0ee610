import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Column, TableFile } from './table-file.ts';
import {
  EVENT_COLUMNS,
  type EventRow,
  FINDING_COLUMNS,
  type FindingRow,
  TRACE_COLUMNS,
  type TraceRow,
} from './tables.ts';

const NAMES = ['events', 'findings', 'traces'] as const;

/** The tables of a fleet below one folder: events.parquet, findings.parquet and traces.parquet. */
export class FleetFiles {
  readonly #folder: string;
  readonly #open: TableFile<never>[] = [];
  readonly events: TableFile<EventRow>;
  readonly findings: TableFile<FindingRow>;
  readonly traces: TableFile<TraceRow>;

  /** Creates the folder where it is missing, and the files. System errors are thrown as they come and leave no file. */
  constructor(folder: string, createdBy: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
    try {
      this.events = this.#create('events', EVENT_COLUMNS, createdBy);
      this.findings = this.#create('findings', FINDING_COLUMNS, createdBy);
      this.traces = this.#create('traces', TRACE_COLUMNS, createdBy);
    } catch (error) {
      this.drop();
      throw error;
    }
  }

  /** The file of a fleet that is there already, if one is. */
  static existing(folder: string): string | undefined {
    return NAMES.map((name) => pathOf(folder, name)).find((path) => existsSync(path));
  }

  /** Completes the files. */
  finish(): void {
    for (const table of this.#open) table.finish();
    this.#close();
  }

  /** Takes the files away again: without their ends no reader would take them. */
  drop(): void {
    this.#close();
    for (const name of NAMES) rmSync(pathOf(this.#folder, name), { force: true });
  }

  #create<Row>(name: (typeof NAMES)[number], columns: readonly Column<Row>[], by: string): TableFile<Row> {
    const table = new TableFile(pathOf(this.#folder, name), columns, by);
    this.#open.push(table);
    return table;
  }

  #close(): void {
    for (const table of this.#open.splice(0)) table.close();
  }
}

function pathOf(folder: string, name: string): string {
  return join(folder, `${name}.parquet`);
}
