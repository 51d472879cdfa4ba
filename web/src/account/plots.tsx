import { useSignal } from "@preact/signals";

export interface Bar {
  label: string;
  long: string;
  value: number;
  said: string;
}

const nice = (value: number) => {
  if (value <= 5) return 5;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 7.5, 10].map((step) => step * power).find((step) => step >= value)!;
};

/** Bars with a line of the most, and the value of the one that is pointed at. */
export function Bars({ bars }: { bars: Bar[] }) {
  const at = useSignal(-1);
  const width = innerWidth < 640 ? 360 : 680;
  const height = 170;
  const most = nice(Math.max(1, ...bars.map((bar) => bar.value)));
  const left = 44;
  const step = (width - left) / bars.length;
  const every = bars.length > 14 && width < 500 ? 6 : bars.length > 14 ? 3 : bars.length > 8 ? 2 : 1;
  const shown = bars[at.value];
  return (
    <>
      <svg class="bars" viewBox={`0 0 ${width} ${height + 26}`} role="img" aria-label={bars.map((bar) => `${bar.long}: ${bar.said}`).join("; ")} onMouseLeave={() => (at.value = -1)}>
        {[0.5, 1].map((part) => (
          <g key={part}>
            <line class="rule" x1={left} x2={width} y1={height - part * (height - 14)} y2={height - part * (height - 14)} />
            <text class="axis" x={left - 8} y={height - part * (height - 14) + 4} text-anchor="end">
              {(most * part).toLocaleString()}
            </text>
          </g>
        ))}
        {bars.map((bar, index) => {
          const tall = (bar.value / most) * (height - 14);
          return (
            <g key={bar.long} onMouseEnter={() => (at.value = index)}>
              <rect class="reach" x={left + index * step} y="0" width={step} height={height} />
              <rect class={at.value === index ? "bar-here" : "bar-of"} x={left + index * step + step * 0.18} y={height - tall} width={step * 0.64} height={Math.max(tall, bar.value ? 1.5 : 0)} rx="2" />
              {index % every === (bars.length - 1) % every ? (
                <text class="axis" x={left + index * step + step / 2} y={height + 18} text-anchor="middle">
                  {bar.label}
                </text>
              ) : null}
            </g>
          );
        })}
      </svg>
      <p class="dim small plot-said">{shown ? `${shown.long}: ${shown.said}` : " "}</p>
    </>
  );
}

/** A number over days. */
export function Line({ points, name, day }: { points: [string, number][]; name: string; day: (day: string) => string }) {
  const width = innerWidth < 640 ? 360 : 680;
  const height = 130;
  const values = points.map(([, value]) => value);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const span = high - low || 1;
  const times = points.map(([when]) => Date.parse(when));
  const first = times[0]!;
  const long = times[times.length - 1]! - first || 1;
  const x = (index: number) => 6 + ((times[index]! - first) / long) * (width - 12);
  const y = (value: number) => height - 10 - ((value - low) / span) * (height - 34);
  const path = points.map(([, value], index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const round = (value: number) => Number(value.toFixed(value < 20 ? 1 : 0)).toLocaleString();
  return (
    <>
      <svg class="line" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`${name}: from ${round(low)} to ${round(high)}, ${round(mean)} on average, between ${day(points[0]![0])} and ${day(points[points.length - 1]![0])}`}>
        <line class="rule" x1="0" x2={width} y1={y(mean)} y2={y(mean)} />
        <path class="line-path" d={path} />
        {points.length <= 60 ? points.map(([when, value], index) => <circle key={when} class="point" cx={x(index)} cy={y(value)} r="2.5" />) : null}
      </svg>
      <p class="dim small row spread">
        <span>{day(points[0]![0])}</span>
        <span>
          {round(low)} to {round(high)}, {round(mean)} on average
        </span>
        <span>{day(points[points.length - 1]![0])}</span>
      </p>
    </>
  );
}
