import { dispatch } from './dispatch.ts';
import { EXIT } from './problem.ts';

/** A reader that goes away (`| head`) is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.fine);
  throw error;
});

process.exitCode = await dispatch(process.argv.slice(2));
