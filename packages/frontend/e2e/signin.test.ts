import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { setStage } from './support/stage'

const SECRET = 'a secret of the tests, longer than thirty-two bytes'

function tokenFor(claims: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode(claims)}`
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`
}

describe('where guests are welcome', () => {
  const stage = setStage()

  test('signing in lasts over a reload, and signing out ends it', async () => {
    const ann = await stage.person()
    await ann.signIn('Ann')
    await ann.page.reload()
    await ann.newChatButton('Echo').waitFor()
    await ann.page.getByRole('button', { name: 'Sign out' }).click()
    await ann.page.getByRole('button', { name: 'Start chatting' }).waitFor()
    await ann.page.reload()
    await ann.page.getByRole('button', { name: 'Start chatting' }).waitFor()
  })

  test('a token that is no longer valid leads back to the sign-in, with a word why', async () => {
    const ann = await stage.person({
      session: { token: 'e30.e30.e30', userId: 'ann', name: 'Ann' },
    })
    ann.foresee(/401/)
    await ann.page.goto('/')
    await ann.page.getByText('Your sign-in has ended. Please sign in again.').waitFor()
    await ann.page.getByRole('button', { name: 'Start chatting' }).waitFor()
  })
})

describe('where guests are not', () => {
  const stage = setStage({ REJOINDER_GUESTS: 'false', REJOINDER_JWT_SECRET: SECRET })

  test('a token signs its user in, and nothing else does', async () => {
    const ann = await stage.person()
    await ann.page.goto('/')
    const field = ann.page.getByLabel('Access token')
    await field.fill('not a token')
    await field.press('Enter')
    await ann.page.getByText('This is not a token.').waitFor()
    ann.foresee(/401/)
    await field.fill('e30.eyJzdWIiOiJhbm4ifQ.e30')
    await field.press('Enter')
    await ann.page.getByText('The server does not accept this token.').waitFor()

    const expires = Math.floor(Date.now() / 1000) + 600
    await field.fill(tokenFor({ sub: 'ann', name: 'Ann', exp: expires }))
    await field.press('Enter')
    await ann.page.getByText('Signed in as Ann').waitFor({ state: 'attached' })
    await ann.startChat()
    await ann.say('hello')
    await ann.messages('complete').nth(1).waitFor()
    expect(await ann.texts()).toEqual(['hello', 'hello'])
  })
})
