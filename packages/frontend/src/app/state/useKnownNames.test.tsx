import { render } from '@testing-library/react'
import { useSyncExternalStore } from 'react'
import { afterEach, expect, test, vi } from 'vitest'
import type { Member } from '@/index'
import { useKnownNames } from './useKnownNames'

afterEach(() => vi.unstubAllGlobals())

/** A list of members that is another one after each change, as the chat's is. */
function memberList() {
  let members: Member[] = [{ userId: 'ann', status: 'online', name: 'Ann' }]
  const listeners = new Set<() => void>()
  return {
    getSnapshot: () => members,
    subscribe: (listener: () => void) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    change: () => {
      members = [...members]
      for (const listener of listeners) listener()
    },
  }
}

function Page({ list }: { list: ReturnType<typeof memberList> }) {
  const members = useSyncExternalStore(list.subscribe, list.getSnapshot)
  const { nameOf } = useKnownNames('room', 'token', true, members, [])
  return <p>{nameOf('ann')}</p>
}

test('many changes in one go, as after a stall of the page, are taken', async () => {
  const failed = vi.fn()
  window.addEventListener('error', failed)
  const list = memberList()
  const { container } = render(<Page list={list} />)
  // As the browser does it, and without time for anything but what may not wait.
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', false)
  for (let count = 0; count < 200; count += 1) {
    list.change()
    await Promise.resolve()
  }
  expect(container.textContent).toBe('Ann')
  expect(failed).not.toHaveBeenCalled()
  window.removeEventListener('error', failed)
})
