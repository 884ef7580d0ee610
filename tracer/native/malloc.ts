import { libc } from './libc.ts';

/** M_ARENA_MAX of mallopt(3), glibc malloc.h. */
const ARENA_MAX = -8;

const mallopt = libc.func('int mallopt(int parameter, int value)') as (
  parameter: number,
  value: number,
) => number;

/**
 * From now on at most so many places that memory is taken from: glibc gives each thread its own, up to eight times the processors, and
 * what one of them frees no other takes. Threads that are there already keep theirs.
 */
export function limitArenas(most: number): void {
  mallopt(ARENA_MAX, most);
}

const trim = libc.func('int malloc_trim(size_t pad)') as (pad: number) => number;

/** Gives pages back that the C library keeps for what it may allocate again, in a few milliseconds. */
export function giveFreePagesBack(): void {
  trim(0);
}
