import { cleanup, render, screen } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { TextProvider } from '@/components/chat/i18n/TextContext'
import { Account } from './Account'

afterEach(cleanup)

function show(findUnsent: () => Promise<readonly string[]>) {
  const onSignOut = vi.fn()
  render(
    <TextProvider locale="en">
      <Account
        session={{ token: '', userId: 'ann', name: 'Ann' }}
        onSignOut={onSignOut}
        findUnsent={findUnsent}
      />
    </TextProvider>,
  )
  return {
    onSignOut,
    press: (name: string) => userEvent.click(screen.getByText(name)),
  }
}

describe('signing out', () => {
  it('asks nothing where everything is sent', async () => {
    const { onSignOut, press } = show(async () => [])
    await press('Sign out')
    expect(onSignOut).toHaveBeenCalledOnce()
  })

  it('asks first where messages wait to be sent', async () => {
    const { onSignOut, press } = show(async () => ['room'])
    await press('Sign out')
    expect(screen.getByRole('alert').textContent).toContain('not been sent')
    expect(onSignOut).not.toHaveBeenCalled()
    await press('Stay signed in')
    expect(screen.queryByRole('alert')).toBeNull()
    await press('Sign out')
    await press('Sign out anyway')
    expect(onSignOut).toHaveBeenCalledOnce()
  })

  it('keeps nobody in because the browser does not tell', async () => {
    const { onSignOut, press } = show(() => Promise.reject(new Error('forbidden')))
    await press('Sign out')
    expect(onSignOut).toHaveBeenCalledOnce()
  })
})
