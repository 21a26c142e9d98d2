import { useId } from 'react'
import type { Quality } from '../../lib/types/socket'
import { useTexts } from './texts'

export interface ConnectionQualityProps {
  quality: Quality
  /** The usual round trip, and how far others are from it, in milliseconds. */
  rtt?: number | undefined
  jitter?: number | undefined
  /** The part of the round trips that was lost, 0 to 1. */
  loss?: number | undefined
  /** By default the browser's. */
  locale?: string | undefined
}

const BARS: Record<Quality, number> = { good: 3, fair: 2, poor: 1 }
const HEIGHTS = [6, 11, 16]

/** How good the line is, as three bars; behind them, what that means. */
export function ConnectionQuality(props: ConnectionQualityProps) {
  const { quality, rtt, jitter, loss = 0, locale } = props
  const { quality: texts } = useTexts(locale)
  const id = useId()
  return (
    <>
      <button
        type="button"
        className="rejoinder-quality"
        data-quality={quality}
        popoverTarget={id}
        title={texts.name[quality]}
      >
        <svg aria-hidden="true" width="1.25em" height="1.25em" viewBox="0 0 20 20">
          {HEIGHTS.map((height, at) => (
            <rect
              key={height}
              x={2 + at * 6}
              y={18 - height}
              width="4"
              height={height}
              rx="1"
              data-on={at < BARS[quality] ? true : undefined}
            />
          ))}
        </svg>
        <span className="rejoinder-hidden">{texts.name[quality]}</span>
      </button>
      <section
        id={id}
        popover="auto"
        aria-label={texts.name[quality]}
        className="rejoinder-quality-panel"
      >
        <h2>{texts.name[quality]}</h2>
        <p>{texts.meaning[quality]}</p>
        {rtt === undefined ? null : (
          <dl>
            <dt>{texts.rtt}</dt>
            <dd>{rtt} ms</dd>
            <dt>{texts.jitter}</dt>
            <dd>{jitter ?? 0} ms</dd>
            <dt>{texts.loss}</dt>
            <dd>{Math.round(loss * 100)} %</dd>
          </dl>
        )}
      </section>
    </>
  )
}
