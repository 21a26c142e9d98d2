import { act, renderHook } from '@testing-library/react'
import { expect, test } from 'vitest'
import { useResource } from './useResource'

type List = readonly string[]

/** Something whose answers come when a test says so. */
function loading() {
  const answers: ((list: List) => void)[] = []
  const load = () => new Promise<List>((resolve) => answers.push(resolve))
  const { result } = renderHook(() => useResource(load))
  const answer = (turn: number, ...list: string[]) => act(async () => answers[turn]?.(list))
  const reload = () => act(async () => void result.current.reload())
  const add = (word: string) => act(() => result.current.change((list) => [...list, word]))
  return { answer, reload, add, data: () => result.current.resource.data }
}

test('what becomes known while it is loaded is not lost with the answer', async () => {
  const { answer, reload, add, data } = loading()
  add('early')
  await answer(0, 'a')
  expect(data()).toEqual(['a', 'early'])
  await reload()
  await reload()
  add('b')
  expect(data()).toEqual(['a', 'early', 'b'])
  await answer(1, 'a')
  expect(data()).toEqual(['a', 'b'])
  await answer(2, 'a')
  expect(data()).toEqual(['a', 'b'])
})

test('an answer that was asked for later knows it by itself', async () => {
  const { answer, reload, add, data } = loading()
  await reload()
  add('a')
  await reload()
  await answer(2, 'a')
  expect(data()).toEqual(['a'])
  await answer(1)
  expect(data()).toEqual(['a'])
  await reload()
  await answer(3, 'c')
  expect(data()).toEqual(['c'])
})
