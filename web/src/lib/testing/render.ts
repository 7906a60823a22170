import { render, type RenderResult } from '@testing-library/svelte';
import type { Component, ComponentProps } from 'svelte';
import { onTestFinished } from 'vitest';
import { App } from '#lib/shell/app.svelte.ts';
import Within from './Within.svelte';

/** Return an app that is not started yet. Its live events stop with the test. */
export function anApp(): App {
  const app = new App();
  onTestFinished(() => app.live.stop());
  return app;
}

/** Render a component with the app as context. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the properties of any component
export function renderIn<C extends Component<any>>(
  app: App,
  component: C,
  properties: ComponentProps<C>,
): RenderResult<typeof Within> {
  return render(Within, { app, component, properties });
}
