/**
 * Version of the engine's behaviour. It rises when the hash of a sample changes; docs/engine-changes.md says
 * why, and a stored hash is only compared with one of the same version.
 */
export const ENGINE_VERSION = '25';
