import { payloadFromObject, payloadToObject } from '../../abi/index.ts';
import type { InterceptEvent } from '../event.ts';
import { bytesOf } from './abi-object.ts';
import { MESSAGE_TYPE } from './codec.ts';
import type { KindText } from './kind.ts';
import { REGISTERS } from './register-value.ts';
import { missing, readKey, rowsOf } from './row.ts';

const intercept = rowsOf<InterceptEvent>();
export const INTERCEPT_TEXT: KindText = {
  kind: 'intercept',
  lead: [],
  rows: [intercept.required('type', MESSAGE_TYPE)],
  extra: {
    keys: { payload: { type: 'object' } },
    read(object, draft) {
      if (draft.vp === undefined) throw missing('vp');
      const type = draft.type as number;
      const payload = readKey(object, 'payload', (json) => bytesOf(payloadFromObject(type, json)));
      if (payload !== undefined) draft.payload = payload;
    },
    write(event) {
      const { type, payload } = event as unknown as InterceptEvent;
      return payload === undefined ? '' : `,"payload":${JSON.stringify(payloadToObject(type, payload))}`;
    },
  },
  tail: [intercept.optional('registers', REGISTERS)],
};
