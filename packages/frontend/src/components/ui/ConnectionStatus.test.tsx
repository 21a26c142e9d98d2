import { act, cleanup, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import axe from 'axe-core'
import { useState } from 'react'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  ConnectionReplacedModal,
  ConnectionStatus,
  MessageStatusIndicator,
} from '@/components/ui/ConnectionStatus'

afterEach(() => {
  cleanup()
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Every rule that needs no layout: jsdom has none. */
async function expectAccessible(container: HTMLElement) {
  const { violations } = await axe.run(container, {
    rules: { 'color-contrast': { enabled: false } },
  })
  expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([])
}

describe('ConnectionStatus', () => {
  it('is not there while everything is well', () => {
    const { container } = render(<ConnectionStatus connectionState="connected" />)
    expect(container.innerHTML).toBe('')
  })

  it.each(['connecting', 'reconnecting'] as const)(
    'says that it is %s, without a button',
    (state) => {
      render(<ConnectionStatus connectionState={state} onReconnect={vi.fn()} locale="en" />)
      const banner = screen.getByRole('status')
      expect(banner.className).toContain('animate-slideDown')
      expect(screen.queryByRole('button')).toBeNull()
    },
  )

  it.each([
    ['failed', 'alert'],
    ['disconnected', 'status'],
  ] as const)('offers to reconnect when %s', async (state, role) => {
    const onReconnect = vi.fn()
    const { container } = render(
      <ConnectionStatus connectionState={state} onReconnect={onReconnect} locale="en" />,
    )
    expect(screen.getByRole(role).textContent).toContain('connect')
    await userEvent.click(screen.getByRole('button', { name: 'Reconnect' }))
    expect(onReconnect).toHaveBeenCalledExactlyOnceWith()
    await expectAccessible(container)
  })

  it('waits two seconds before it shows, from the moment when something went wrong', () => {
    vi.useFakeTimers()
    const banner = () => container.querySelector('.rejoinder-banner')
    const isShown = () => banner() !== null && !banner()?.hasAttribute('data-waiting')
    const { container, rerender } = render(<ConnectionStatus connectionState="reconnecting" />)
    act(() => void vi.advanceTimersByTime(1_999))
    expect(isShown()).toBe(false)
    rerender(<ConnectionStatus connectionState="failed" />)
    act(() => void vi.advanceTimersByTime(1))
    expect(isShown()).toBe(true)
    // The next trouble is another one.
    rerender(<ConnectionStatus connectionState="connected" />)
    rerender(<ConnectionStatus connectionState="reconnecting" />)
    expect(isShown()).toBe(false)
    rerender(<ConnectionStatus connectionState="connected" />)
    act(() => void vi.advanceTimersByTime(10_000))
    expect(container.innerHTML).toBe('')
  })

  it.each([
    ['en', 'Your device is offline', 'The server cannot be reached'],
    ['ko', '기기가 오프라인입니다', '서버에 연결할 수 없습니다'],
  ])('tells a device without a network from a server that is away (%s)', (locale, off, away) => {
    const onLine = vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false)
    const { container } = render(
      <ConnectionStatus connectionState="reconnecting" locale={locale} delayMs={0} />,
    )
    expect(screen.getByRole('status').textContent).toContain(off)
    expect(container.querySelector('.rejoinder-spinner')).toBeNull()
    onLine.mockReturnValue(true)
    act(() => void window.dispatchEvent(new Event('online')))
    expect(screen.getByRole('status').textContent).toContain(away)
    expect(container.querySelector('.rejoinder-spinner')).not.toBeNull()
  })

  it('speaks Korean and English, after the browser unless told', () => {
    const { rerender } = render(<ConnectionStatus connectionState="failed" locale="ko-KR" />)
    expect(screen.getByRole('alert').textContent).toBe('연결을 복구하지 못했습니다.')
    rerender(<ConnectionStatus connectionState="failed" locale="fr" />)
    expect(screen.getByRole('alert').textContent).toBe('The connection could not be restored.')
    rerender(<ConnectionStatus connectionState="failed" />)
    expect(navigator.language).toBe('en-US')
    expect(screen.getByRole('alert').textContent).toBe('The connection could not be restored.')
  })
})

function PageWithModal({ onReconnect }: { onReconnect: () => void }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        Open
      </button>
      <ConnectionReplacedModal
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        onReconnect={onReconnect}
        locale="en"
      />
    </>
  )
}

describe('ConnectionReplacedModal', () => {
  async function opened() {
    const onReconnect = vi.fn()
    const { container } = render(<PageWithModal onReconnect={onReconnect} />)
    await userEvent.click(screen.getByRole('button', { name: 'Open' }))
    return { container, onReconnect }
  }

  it('is a labelled dialog that takes the focus', async () => {
    const { container } = await opened()
    const dialog = screen.getByRole('dialog', { name: 'You are connected elsewhere' })
    expect(dialog.className).toContain('animate-scaleIn')
    expect(dialog.getAttribute('aria-modal')).toBe('true')
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Use this one' }))
    await expectAccessible(container)
  })

  it('keeps the focus inside', async () => {
    await opened()
    const close = screen.getByRole('button', { name: 'Close' })
    const reconnect = screen.getByRole('button', { name: 'Use this one' })
    await userEvent.tab()
    expect(document.activeElement).toBe(close)
    await userEvent.tab({ shift: true })
    expect(document.activeElement).toBe(reconnect)
    screen.getByRole('button', { name: 'Open' }).focus()
    expect(screen.getByRole('dialog').contains(document.activeElement)).toBe(true)
    await userEvent.tab()
    expect(document.activeElement).toBe(close)
  })

  it('closes on Escape and on its button, and gives the focus back', async () => {
    await opened()
    await userEvent.keyboard('{Escape}')
    expect(screen.queryByRole('dialog')).toBeNull()
    expect(document.activeElement).toBe(screen.getByRole('button', { name: 'Open' }))
    await userEvent.click(screen.getByRole('button', { name: 'Open' }))
    await userEvent.click(screen.getByRole('button', { name: 'Close' }))
    expect(screen.queryByRole('dialog')).toBeNull()
  })

  it('reconnects, and is done', async () => {
    const { onReconnect } = await opened()
    await userEvent.click(screen.getByRole('button', { name: 'Use this one' }))
    expect(onReconnect).toHaveBeenCalledExactlyOnceWith()
    expect(screen.queryByRole('dialog')).toBeNull()
  })

  it('says what the server says', () => {
    render(
      <ConnectionReplacedModal
        isOpen
        onClose={vi.fn()}
        onReconnect={vi.fn()}
        message="Elsewhere."
      />,
    )
    expect(screen.getByText('Elsewhere.')).toBeTruthy()
  })
})

describe('MessageStatusIndicator', () => {
  it.each([
    ['sent', '✓', 'Sent'],
    ['pending', '⏳', 'Sending'],
    ['failed', '⚠️', 'Not sent'],
  ] as const)('shows %s as %s, with a name', async (status, symbol, name) => {
    const { container } = render(<MessageStatusIndicator status={status} locale="en" />)
    const image = screen.getByRole('img', { name })
    expect(image.textContent).toBe(symbol)
    // No font need have the character: it is drawn, and hidden itself.
    expect(image.querySelector('svg[aria-hidden="true"] path')).not.toBeNull()
    expect(image.querySelector('.rejoinder-symbol')?.textContent).toBe(symbol)
    expect(screen.queryByRole('button')).toBeNull()
    await expectAccessible(container)
  })

  it('offers to send again what failed, and only that', async () => {
    const onRetry = vi.fn()
    const { rerender } = render(
      <MessageStatusIndicator status="failed" onRetry={onRetry} locale="en" />,
    )
    await userEvent.click(screen.getByRole('button', { name: 'Send again' }))
    expect(onRetry).toHaveBeenCalledExactlyOnceWith()
    rerender(<MessageStatusIndicator status="sent" onRetry={onRetry} />)
    expect(screen.queryByRole('button')).toBeNull()
  })
})
