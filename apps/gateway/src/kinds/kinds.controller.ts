import { createHash } from 'node:crypto';
import { Controller } from '@nestjs/common';
import { allKinds, routes } from '@tocsin/contracts';
import { type Answer, Serve } from '@tocsin/edge';

/** What kinds there are, from memory: nothing changes it while the gateway runs. */
@Controller()
export class KindsController {
  private readonly body = allKinds();
  private readonly etag = `"${createHash('sha256').update(JSON.stringify(this.body)).digest('base64url').slice(0, 22)}"`;

  @Serve(routes.kinds)
  list(): Answer {
    return { body: this.body, headers: { etag: this.etag } };
  }
}
