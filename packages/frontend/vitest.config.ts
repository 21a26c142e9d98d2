import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vitest/config'

const shared = {
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
}

// Some tests wait for another process, on machines of any speed.
const patience = { testTimeout: 60_000, hookTimeout: 60_000 }

/** What renders runs in jsdom, everything else in Node. */
export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          ...patience,
          name: 'rules',
          include: ['src/**/*.test.ts'],
          environment: 'node',
        },
      },
      {
        ...shared,
        test: {
          ...patience,
          name: 'rendered',
          include: ['src/**/*.test.tsx'],
          environment: 'jsdom',
        },
      },
    ],
  },
})
