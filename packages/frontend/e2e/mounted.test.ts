import { expect, test } from 'vitest'
import { MOUNTED } from './support/server'
import { setStage } from './support/stage'

const stage = setStage({}, MOUNTED)

test('the page works below the path that a program has mounted the chat at', async () => {
  const ann = await stage.person()
  await ann.signIn('Ann', '/chat')
  expect(new URL(ann.page.url()).pathname).toBe('/chat/')
  await ann.startChat()
  await ann.say('Hello')
  await ann.messages('complete').nth(1).waitFor()
  await ann.page.reload()
  await ann.messages('complete').nth(1).waitFor()
  expect(await ann.texts()).toEqual(['Hello', 'Hello'])
})
