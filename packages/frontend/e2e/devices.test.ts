import { expect, test } from 'vitest'
import { setStage } from './support/stage'

const stage = setStage()

test('a second device takes over, and the first one stays out until it is asked', async () => {
  const first = await stage.person()
  await first.signIn('Ann')
  const address = await first.startChat()
  await first.say('from the first')
  await first.messages('complete').nth(1).waitFor()

  const second = await stage.person({ session: await first.session() })
  await second.open(address)
  await first.dialog.waitFor()
  await second.say('from the second')
  await second.messages('complete').nth(3).waitFor()
  expect(await second.dialog.count()).toBe(0)
  expect(await first.message('from the second').count()).toBe(0)

  await first.dialog.getByRole('button', { name: 'Use this one' }).click()
  await second.dialog.waitFor()
  await first.dialog.waitFor({ state: 'detached' })
  await first.message('from the second').first().waitFor()
  await first.say('from the first again')
  await first.messages('complete').nth(5).waitFor()
  expect(await first.dialog.count()).toBe(0)
})

test('to close the notice leaves the first device out, and a banner says so', async () => {
  const first = await stage.person()
  await first.signIn('Ann')
  const address = await first.startChat()
  const second = await stage.person({ session: await first.session() })
  await second.open(address)
  await first.dialog.waitFor()
  await first.page.keyboard.press('Escape')
  await first.dialog.waitFor({ state: 'detached' })
  await first.banner.waitFor()
  await second.say('still here')
  await second.messages('complete').nth(1).waitFor()
  expect(await second.dialog.count()).toBe(0)
})
