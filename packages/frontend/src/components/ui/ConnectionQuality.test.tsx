import { cleanup, render, screen } from '@testing-library/react'
import axe from 'axe-core'
import { afterEach, describe, expect, it } from 'vitest'
import { ConnectionQuality } from '@/components/ui/ConnectionStatus'

afterEach(cleanup)

describe('ConnectionQuality', () => {
  it.each([
    ['good', 3, 'en', 'Good connection'],
    ['fair', 2, 'en', 'Fair connection'],
    ['poor', 1, 'ko', '연결 상태 나쁨'],
  ] as const)('shows %s as %i bars, with a name', (quality, bars, locale, name) => {
    const { container } = render(<ConnectionQuality quality={quality} locale={locale} />)
    expect(screen.getByRole('button', { name })).toBeTruthy()
    expect(container.querySelectorAll('rect[data-on]')).toHaveLength(bars)
  })

  it('says what it means, and by what it is judged, once that is known', async () => {
    const { container, rerender } = render(<ConnectionQuality quality="poor" locale="en" />)
    expect(container.textContent).toContain('No message is lost')
    expect(container.querySelector('dl')).toBeNull()
    rerender(<ConnectionQuality quality="poor" rtt={1200} jitter={80} loss={0.25} locale="en" />)
    expect([...container.querySelectorAll('dd')].map(({ textContent }) => textContent)).toEqual([
      '1200 ms',
      '80 ms',
      '25 %',
    ])
    const { violations } = await axe.run(container, {
      rules: { 'color-contrast': { enabled: false } },
    })
    expect(violations).toEqual([])
  })
})
