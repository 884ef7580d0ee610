/**
 * The rule of an answer that the engine does not model or cannot know: whoever compares answers can neither check it nor
 * take it over. The answer itself is then the recorded one where there is one.
 */
export const UNMODELLED = 'unmodelled';
