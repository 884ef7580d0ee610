import { recordLoad } from '../load.ts';
import { type Measure, rates, timed } from '../measure.ts';
import { HOST } from '../mixed.ts';

/** Makes the trace that the others use. */
export const measure: Measure = async ({ trace, events }) => {
  const took = timed(() => recordLoad(trace, events, HOST));
  return [
    {
      what: 'playing the load into a file',
      value: `${rates(took.result, took)}, ${took.result.toLocaleString('en')} events`,
    },
  ];
};
