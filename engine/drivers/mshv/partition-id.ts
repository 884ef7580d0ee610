import { constant } from '../../abi/index.ts';

/** The caller's own partition (TLFS: HV_PARTITION_ID_SELF). */
export const SELF = constant('HV_PARTITION_ID_SELF');
