import type { GpaMapView, MappedView, OverlayView, RegionView } from '../../engine/app/api-machine.ts';
import { useModel } from '../model/model.ts';
import { Answered } from '../widgets/answered.tsx';
import { useSeen } from '../widgets/seen.ts';
import { Changed, Deed } from './deed.tsx';
import { flagsText, pagesText } from './words.ts';

/** Guest memory at the cursor. */
export function GpaMap() {
  const model = useModel();
  useSeen(model.gpaMapSeen);
  return <Answered slot={model.gpaMap}>{({ at, maps }) => <Memories at={at} maps={maps} />}</Answered>;
}

function Memories(props: { readonly at: string; readonly maps: readonly GpaMapView[] }) {
  // The memory of child partitions first: it is what changes.
  const maps = [...props.maps].sort((a, b) => Number(a.own) - Number(b.own));
  return (
    <div
      class="machine gpa-map"
      data-at={props.at}
      data-focus="main"
      tabIndex={0}
      role="region"
      aria-label="guest memory"
    >
      {maps.map((map) => (
        <Memory key={map.partition} map={map} />
      ))}
    </div>
  );
}

function Memory({ map }: { readonly map: GpaMapView }) {
  const { partition, own, regions, others, overlays } = map;
  const title = own ? `Partition ${partition}, where the trace was recorded` : `Partition ${partition}`;
  const empty = regions.length + others.length + overlays.length === 0;
  return (
    <section class="gpa-partition" data-id={partition} aria-label={`memory of partition ${partition}`}>
      <h3>
        {title} {own ? <span class="dim">only what lies over its memory is known</span> : undefined}
      </h3>
      {empty ? (
        <p class="dim">No memory is mapped here at the cursor.</p>
      ) : (
        <table class="table">
          <thead>
            <tr>
              <th scope="col">GPA</th>
              <th scope="col">size</th>
              <th scope="col">access</th>
              <th scope="col">host address</th>
              <th scope="col">last done by</th>
            </tr>
          </thead>
          <tbody>
            {regions.map((region) => (
              <Region key={`region ${region.from} ${region.gone}`} region={region} />
            ))}
            {others.map((mapped) => (
              <Mapped key={`other ${mapped.from}`} mapped={mapped} what="mapped, no region" />
            ))}
            {overlays.map((overlay) => (
              <Overlay key={`${overlay.of} ${overlay.what}`} overlay={overlay} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Region({ region }: { readonly region: RegionView }) {
  return (
    <>
      <tr class="gpa-region" data-from={region.from} data-gone={region.gone} data-changed={region.changed}>
        <th scope="row" class="value">
          <Changed changed={region.changed} />
          <Range mapped={region} />
          {region.gone ? ' taken away' : ''}
        </th>
        <td class="nowrap">{pagesText(region.pages)}</td>
        <td title={region.flags.join(' ')}>
          {flagsText(region.flags)} <span class="dim">{region.kind}</span>
        </td>
        <td class="value">{region.address}</td>
        <td>
          <Deed deed={region.deed} />
        </td>
      </tr>
      {region.mapped.map((mapped) => (
        <Mapped key={`mapped ${mapped.from} ${mapped.gone}`} mapped={mapped} what="mapped" />
      ))}
      {region.mapped.length === 0 && !region.gone ? (
        <tr>
          <td class="gpa-inner dim" colSpan={5}>
            └ nothing of it is mapped
          </td>
        </tr>
      ) : undefined}
    </>
  );
}

function Mapped({ mapped, what }: { readonly mapped: MappedView; readonly what: string }) {
  return (
    <tr class="gpa-mapped" data-from={mapped.from} data-gone={mapped.gone} data-changed={mapped.changed}>
      <th scope="row" class="value gpa-inner">
        <span aria-hidden="true">└ </span>
        <Changed changed={mapped.changed} />
        <Range mapped={mapped} />
      </th>
      <td class="nowrap">{pagesText(mapped.pages)}</td>
      <td title={mapped.flags.join(' ')}>{flagsText(mapped.flags)}</td>
      <td class="dim">{mapped.gone ? 'unmapped' : what}</td>
      <td>
        <Deed deed={mapped.deed} />
      </td>
    </tr>
  );
}

function Range({ mapped }: { readonly mapped: MappedView }) {
  return (
    <span class="gpa-range">
      {mapped.from}–{mapped.to}
    </span>
  );
}

function Overlay({ overlay }: { readonly overlay: OverlayView }) {
  return (
    <tr class="gpa-overlay" data-changed={overlay.changed}>
      <th scope="row" class="value">
        <Changed changed={overlay.changed} />
        {overlay.gpa}
      </th>
      <td>1 page</td>
      <td colSpan={2}>
        {overlay.what} <span class="dim">of {overlay.of}</span>
      </td>
      <td>
        <Deed deed={overlay.deed} />
      </td>
    </tr>
  );
}
